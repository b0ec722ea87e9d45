/**
 * Removes the variables of libpq from the environment of this process. The driver uses them for each missing
 * or empty setting, and some settings have no value for "none": options, replication, binary, encoding.
 */
export function forgetLibpq(): void {
  for (const name of Object.keys(process.env)) if (/^PG[A-Z_]+$/.test(name)) delete process.env[name];
}
