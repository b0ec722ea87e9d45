/**
 * Gives each worker, and the installation that the network tests share, its own range of ports. Otherwise a
 * process could take a port that another has chosen but not opened yet, or has closed between two starts.
 */
const ranges = 4;
const width = 3_500;
const lowest = 18_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % ranges) * width;
process.env.CLAVIGER_PORT_RANGE = `${lowest}-${lowest + width - 1}`;
