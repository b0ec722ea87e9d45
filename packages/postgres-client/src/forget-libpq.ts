/**
 * Takes the variables of libpq out of the environment of this process. The driver reads them for each setting that has no
 * value or an empty one, and some have no other value that means "none": options, replication, binary, encoding.
 */
export function forgetLibpq(): void {
  for (const name of Object.keys(process.env)) if (/^PG[A-Z_]+$/.test(name)) delete process.env[name];
}
