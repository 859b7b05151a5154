/**
 * A sample's value as text: the shortest that names the double, never with an exponent (Rust prints none, so the
 * original's pages have none), and Prometheus' own words for what is not finite.
 */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-6 && size < 1e21 || value === 0) return String(value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = EXPONENTIAL.exec(String(value))!;
  const digits = whole + fraction;
  const point = whole.length + Number(exponentText);
  return point <= 0 ? `${sign}0.${"0".repeat(-point)}${digits}` : `${sign}${digits.padEnd(point, "0")}`;
}

const EXPONENTIAL = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/;
