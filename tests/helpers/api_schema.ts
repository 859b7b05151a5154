import assert from "node:assert/strict";
import { Ajv2020, type SchemaObject } from "ajv/dist/2020.js";

const NAMES = ["fleet", "change", "alive", "history"] as const;
const ajv = new Ajv2020({ allErrors: true });
for (const name of NAMES) {
  const file = new URL(`../../docs/api/${name}.schema.json`, import.meta.url);
  ajv.addSchema(closed(JSON.parse(Deno.readTextFileSync(file))));
}

/** Fails unless the value is what the documented schema says, and holds no field that it does not name. */
export function assertSchema(name: typeof NAMES[number], value: unknown): void {
  const validate = ajv.getSchema(`${name}.schema.json`)!;
  assert.ok(validate(value), ajv.errorsText(validate.errors, { dataVar: name }));
}

/** Readers are to bear more fields than the schema has; here an unknown one is one that was not documented. */
function closed(schema: SchemaObject): SchemaObject {
  const copy = Object.entries(schema).map(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? [name, closed(value)]
      : [name, value]
  );
  const all = Object.fromEntries(copy);
  return schema.type === "object" ? { additionalProperties: false, ...all } : all;
}
