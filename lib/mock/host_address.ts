/** The address by which others reach this machine: its first IPv4 one that is not of the loopback, else 127.0.0.1. */
export function hostAddress(): string {
  const addresses = Deno.networkInterfaces().filter(({ family }) => family === "IPv4");
  return addresses.find(({ address }) => !address.startsWith("127."))?.address ?? "127.0.0.1";
}
