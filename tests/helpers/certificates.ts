/**
 * Certificates for tests, good for a hundred years but for one, all of one key: for the address 127.0.0.1 alone, for the name
 * localhost alone, and one for both that expired in 2020. `ca` signed them.
 */
const folder = new URL("../testdata/tls/names/", import.meta.url).pathname;

export const ca = `${folder}ca.pem`;
export const keyFile = `${folder}server.key`;

export function certFile(name: "address" | "name" | "expired"): string {
  return `${folder}${name}.pem`;
}

/** What makes nats-server speak TLS with this certificate; with `verify` it asks clients for theirs. */
export function tlsConfig(
  name: Parameters<typeof certFile>[0],
  { verify = false }: { readonly verify?: boolean } = {},
): string {
  return `tls { cert_file: "${
    certFile(name)
  }", key_file: "${keyFile}", ca_file: "${ca}", verify: ${verify} }`;
}
