/** One of prom-client's modules: what it is, `prom_client.ts` says. */
declare const part: unknown;
export default part;
