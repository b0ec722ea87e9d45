import { run } from '../run.ts';

/** The user that the server runs as: nobody else when we are not root, else `postgres` or `nobody`. */
export async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const uid = Number(await run('id', ['-u', name]));
      const gid = Number(await run('id', ['-g', name]));
      return { uid, gid };
    } catch {
      // This machine has no such user; the next one is tried.
    }
  }
  throw new Error(
    'PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody.',
  );
}
