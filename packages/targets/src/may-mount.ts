import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether this process may mount: root that the system lets do so. Tests of full disks and of hosts with an
 * /etc of their own need it.
 */
export function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-mount-'));
  try {
    return (
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0 &&
      spawnSync('umount', [folder]).status === 0
    );
  } finally {
    rmdirSync(folder);
  }
}
