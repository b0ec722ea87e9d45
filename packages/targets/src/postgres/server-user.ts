import { run } from '../run.ts';

/**
 * The user that a server runs as: nobody else when we are not root, else the first of `names` that this
 * machine has.
 */
export async function serverUser(
  names: readonly string[] = ['postgres', 'nobody'],
): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of names) {
    try {
      const uid = Number(await run('id', ['-u', name]));
      const gid = Number(await run('id', ['-g', name]));
      return { uid, gid };
    } catch {
      // This machine has no such user; the next one is tried.
    }
  }
  throw new Error(
    `The server does not run as root, and this machine has none of the users ${names.join(', ')}.`,
  );
}
