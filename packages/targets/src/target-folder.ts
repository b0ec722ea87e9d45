import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder in the temporary one, and files in it, that belong to a server's user. */
export interface TargetFolder {
  readonly path: string;
  /** Writes a file that only the server's user may read; returns its path. */
  write(name: string, content: string): Promise<string>;
  remove(): Promise<void>;
}

export async function createTargetFolder(
  kind: string,
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<TargetFolder> {
  const path = await mkdtemp(join(tmpdir(), `claviger-${kind}-target-`));
  if (user !== undefined) await chown(path, user.uid, user.gid);
  return {
    path,
    async write(name, content) {
      const file = join(path, name);
      await writeFile(file, content, { mode: 0o600 });
      if (user !== undefined) await chown(file, user.uid, user.gid);
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
