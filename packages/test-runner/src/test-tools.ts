import { ensureTools } from '@claviger/backing-servers';
import { tell } from '@claviger/terminal/output';

/** Installs the servers and programs that the tests start, as far as they are missing. */
export async function ensureTestTools(): Promise<void> {
  // The tests log in to hosts with these on Linux only.
  const shells = process.platform === 'linux' ? (['shells'] as const) : [];
  await ensureTools(
    [
      'postgres',
      'redis',
      'nats',
      'sshd',
      'openssl',
      'rsyslog',
      'mariadb',
      'pgbouncer',
      'slapd',
      'softhsm',
      ...shells,
    ],
    tell,
  );
}
