import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from './index.ts';

let folder: string;
let postgres: PostgresServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-servers-'));
  await chmod(folder, 0o711);
  // None of it reaches initdb, the server or our connections: else it would not start.
  Object.assign(process.env, {
    PGHOST: '127.0.0.1',
    PGPORT: '1',
    PGDATABASE: 'elsewhere',
    PGDATA: join(folder, 'elsewhere'),
    PGSSLMODE: 'require',
    PGOPTIONS: '-c data_directory=/elsewhere',
    PGTZ: 'Asia/Tokyo',
    PGDATESTYLE: 'German',
  });
  postgres = await startPostgres({ dataDir: join(folder, 'pg'), logFile: join(folder, 'pg.log'), env: {} });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function query(sql: string, host = postgres.socketDir): Promise<Record<string, unknown>[]> {
  const client = new Client({
    host,
    port: postgres.port,
    user: postgres.superuser,
    password: postgres.password,
    database: 'postgres',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('it serves its own data folder over the socket and over TCP, with fsync on', async () => {
  const sql = `SELECT current_setting('data_directory') AS dir, current_setting('fsync') AS fsync`;
  const expected = [{ dir: join(folder, 'pg', 'data'), fsync: 'on' }];
  expect(await query(sql)).toEqual(expected);
  expect(await query(sql, '127.0.0.1')).toEqual(expected);
  expect((await stat(join(folder, 'pg'))).mode & 0o777).toBe(0o700);
});

test('a wrong password is refused on the socket and over TCP', async () => {
  for (const host of [postgres.socketDir, '127.0.0.1']) {
    const client = new Client({ host, port: postgres.port, user: postgres.superuser, password: 'wrong' });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  }
});

test('committed rows survive SIGKILL, and it comes back on the same port', async () => {
  await query('CREATE TABLE kept AS SELECT 7 AS n');
  const { port, pid } = postgres;
  const exited = new Promise((resolve) => postgres.onUnexpectedExit(resolve));
  expect(postgres.kill('SIGKILL')).toBe(true);
  await exited;
  expect(postgres.pid).toBeUndefined();
  await postgres.start();
  expect(postgres.port).toBe(port);
  expect(postgres.pid).not.toBe(pid);
  expect(await query('SELECT n FROM kept')).toEqual([{ n: 7 }]);
});

test('it comes back after SIGKILL even while a process of the former server is still busy', async () => {
  const busy = query(`DO $$ DECLARE over timestamptz := clock_timestamp() + interval '3 seconds';
    BEGIN WHILE clock_timestamp() < over LOOP END LOOP; END $$`).catch(() => {});
  const working = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'`;
  await expect.poll(() => query(working)).toEqual([{ n: 1 }]);
  const exited = new Promise((resolve) => postgres.onUnexpectedExit(resolve));
  postgres.kill('SIGKILL');
  await exited;
  await postgres.start();
  expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await busy;
});

test('stopped while it is starting, it is gone when the stop has answered, and can be started again', async () => {
  await postgres.stop();
  const starting = postgres.start();
  await Promise.all([expect(starting).rejects.toThrow(/stopped before/), postgres.stop()]);
  expect(postgres.pid).toBeUndefined();
  await postgres.start();
  expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test("a stale postmaster.pid with another program's number does not stop the next start", async () => {
  await postgres.stop();
  const other = spawn('sleep', ['300']);
  try {
    await once(other, 'spawn');
    await writeFile(join(folder, 'pg', 'data', 'postmaster.pid'), `${other.pid}\n${folder}/pg/data\n`);
    postgres = await startPostgres({
      dataDir: join(folder, 'pg'),
      logFile: join(folder, 'pg.log'),
      port: postgres.port,
      portIsFixed: true,
      env: {},
    });
    expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(other.exitCode).toBeNull();
  } finally {
    other.kill();
  }
});

test('a statement that fails leaves no password in the log', async () => {
  await expect(query(`ALTER ROLE nobody_here PASSWORD 'canary-5f1d'`)).rejects.toThrow();
  expect(await readFile(join(folder, 'pg.log'), 'utf8')).not.toContain('canary-5f1d');
});

test('a URL that does not let us in is refused with the name of its variable', async () => {
  const url = `postgres://${postgres.superuser}:nonsense@127.0.0.1:${postgres.port}/postgres`;
  await expect(
    startPostgres({
      dataDir: join(folder, 'unused'),
      logFile: join(folder, 'unused.log'),
      env: { CLAVIGER_POSTGRES_URL: url },
    }),
  ).rejects.toThrow(/CLAVIGER_POSTGRES_URL.*password authentication failed/s);
});

test('a server given by URL gets no password from a file, and no TLS that the services would not speak', async () => {
  const passwords = join(folder, 'pgpass');
  await writeFile(passwords, `*:*:*:*:${postgres.password}\n`, { mode: 0o600 });
  const start = (url: string) => {
    process.env.PGPASSFILE = passwords;
    return startPostgres({
      dataDir: join(folder, 'unused'),
      logFile: join(folder, 'unused.log'),
      env: { CLAVIGER_POSTGRES_URL: url },
    });
  };
  const at = `127.0.0.1:${postgres.port}/postgres`;
  await expect(start(`postgres://${postgres.superuser}@${at}`)).rejects.toThrow(/password/);
  await expect(start(`postgres://${at}`)).rejects.toThrow(/names no user/);
  await expect(start(`${postgres.url}?sslmode=verify-full`)).rejects.toThrow(/without TLS/);
  const external = await start(`${postgres.url}?sslmode=disable`);
  expect(external.superuser).toBe(postgres.superuser);
});

test('the password of a server comes from its file byte for byte, without the line end', async () => {
  const password = ' p%41/ß#@:? ';
  await query(`CREATE ROLE outside LOGIN CREATEROLE CREATEDB PASSWORD '${password}'`);
  const file = join(folder, 'password');
  const start = async (content: string | Buffer) => {
    await writeFile(file, content);
    const url = `postgres://outside@127.0.0.1:${postgres.port}/postgres`;
    const env = { CLAVIGER_POSTGRES_URL: url, CLAVIGER_POSTGRES_PASSWORD_FILE: file };
    return startPostgres({ dataDir: join(folder, 'unused'), logFile: join(folder, 'unused.log'), env });
  };
  for (const content of [password, `${password}\n`, `\ufeff${password}\r\n\r\n`])
    expect((await start(content)).password).toBe(password);
  await expect(start(Buffer.from('p\xe4ss', 'latin1'))).rejects.toThrow(/not UTF-8/);
  await expect(start(Buffer.from('password', 'utf16le'))).rejects.toThrow(/not UTF-8/);
  await expect(start('one\ntwo')).rejects.toThrow(/several lines/);
  await expect(start('\n')).rejects.toThrow(/is empty/);
});

test('a server given by URL is used and never stopped', async () => {
  const external = await startPostgres({
    dataDir: join(folder, 'unused'),
    logFile: join(folder, 'unused.log'),
    env: { CLAVIGER_POSTGRES_URL: postgres.url },
  });
  expect(external.external).toBe(true);
  await external.stop();
  expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
