import { appendFile, readFile } from 'node:fs/promises';
import { writeAtomically } from '@claviger/identity';
import { parseEndpoint } from '@claviger/outbound';
import type { Layout } from './layout.ts';

/** An address cannot be opened; the message is for the operator. */
export class OpenTargetError extends Error {
  override readonly name = 'OpenTargetError';
}

/**
 * Adds single addresses (`HOST:PORT`) to the operator's file of opened targets, which running services read
 * at their next connection. Throws OpenTargetError, and opens nothing, if one is not an address or is a
 * server of the installation.
 */
export async function openTargets(layout: Layout, targets: readonly string[]): Promise<void> {
  if (targets.length === 0) return;
  const own = new Set((await ownServersIn(layout)).map((server) => server.slice(server.lastIndexOf(':'))));
  for (const target of targets) {
    const endpoint = parseEndpoint(target);
    if (endpoint === undefined) throw new OpenTargetError(`${target} is not HOST:PORT`);
    if (own.has(`:${endpoint.from}`) && /^(?:127\.|::1$|localhost$)/.test(endpoint.host))
      throw new OpenTargetError(`${target} is a server of Claviger itself, which is never opened`);
  }
  const known = new Set(await linesOf(layout));
  const added = targets.filter((target) => !known.has(target));
  if (added.length === 0) return;
  // A single append, because several commands may write at the same time.
  await appendFile(layout.openTargetsFile, `${added.join('\n')}\n`, { mode: 0o600 });
}

/** Removes addresses from the file. */
export async function closeTargets(layout: Layout, targets: readonly string[]): Promise<void> {
  const left = (await linesOf(layout)).filter((line) => line !== '' && !targets.includes(line));
  await writeAtomically(layout.openTargetsFile, left.map((line) => `${line}\n`).join(''));
}

async function linesOf(layout: Layout): Promise<string[]> {
  return (await readIfThere(layout.openTargetsFile)).split('\n').map((line) => line.trim());
}

/** Reads the servers of the installation from the configuration of the last start. */
async function ownServersIn(layout: Layout): Promise<readonly string[]> {
  const text = await readIfThere(layout.configFile('vault-1'));
  if (text === '') return [];
  const config = JSON.parse(text) as { readonly outbound?: { readonly ownServers?: readonly string[] } };
  return config.outbound?.ownServers ?? [];
}

async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
