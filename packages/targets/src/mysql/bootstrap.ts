import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../run.ts';

const scripts = ['mysql_system_tables.sql', 'mysql_performance_tables.sql', 'mysql_system_tables_data.sql'];

/**
 * Creates a data folder with one administrator and no other account, like `mariadb-install-db`, without the
 * programs of the client package.
 */
export async function bootstrap(
  mariadbd: string,
  folder: string,
  admin: { readonly username: string; readonly password: string },
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<string> {
  const data = join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  if (user !== undefined) await run('chown', [`${user.uid}:${user.gid}`, data]);
  const share = findScripts(mariadbd);
  const tables = await Promise.all(scripts.map((name) => readFile(join(share, name), 'utf8')));
  const input = [
    'CREATE DATABASE mysql;',
    'USE mysql;',
    'SET @auth_root_socket=NULL;',
    ...tables,
    "DELETE FROM global_priv WHERE User <> 'mariadb.sys';",
    'FLUSH PRIVILEGES;',
    `CREATE USER '${admin.username}'@'%' IDENTIFIED BY '${admin.password}';`,
    `GRANT ALL ON *.* TO '${admin.username}'@'%' WITH GRANT OPTION;`,
    '',
  ].join('\n');
  const args = ['--no-defaults', '--bootstrap', `--datadir=${data}`, '--skip-networking', ...smallStore];
  await run(mariadbd, args, { input, ...user });
  return data;
}

/** Settings for a server of one test. */
export const smallStore = [
  '--innodb-log-file-size=4M',
  '--innodb-buffer-pool-size=8M',
  '--innodb-flush-log-at-trx-commit=0',
];

function findScripts(mariadbd: string): string {
  const found = [
    '/usr/share/mysql',
    '/usr/share/mariadb',
    join(dirname(mariadbd), '../share/mysql'),
    join(dirname(mariadbd), '../share/mariadb'),
  ].find((path) => existsSync(join(path, 'mysql_system_tables.sql')));
  if (found === undefined)
    throw new Error('The scripts of MariaDB were not found (mysql_system_tables.sql).');
  return found;
}
