import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTool, hidePassword, parseVersion } from './find-tool.ts';

test('a missing tool comes with the command that brings it and the variable that replaces it', async () => {
  const found = await findTool('nats', { PATH: '' }, () => false);
  expect(found).toMatchObject({ found: false, source: 'missing' });
  expect(found.fix).toMatch(/apt-get install nats-server|brew install nats-server/);
  expect(found.fix).toContain('CLAVIGER_NATS_URL');
});

test('a URL in the environment goes before a local program, and is shown without its password', async () => {
  const found = await findTool('redis', { CLAVIGER_REDIS_URL: 'redis://:hunter2@db.example:6379' });
  expect(found).toMatchObject({ found: true, source: 'url', where: 'redis://:***@db.example:6379' });
  expect(hidePassword('no url with hunter2')).not.toContain('hunter2');
});

test.each(['postgres', 'redis', 'nats', 'openssl'] as const)('%s is found with its version', async (name) => {
  const found = await findTool(name, { PATH: process.env.PATH });
  expect(found).toMatchObject({ found: true, source: 'local' });
  expect(found.version).toMatch(/^\d+\.\d+/);
});

test('a program without a file that it needs is not used', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-tool-'));
  try {
    const program = join(folder, 'bin', 'mariadbd');
    mkdirSync(join(folder, 'bin'));
    writeFileSync(program, '#!/bin/sh\necho mariadbd Ver 99.1.2-MariaDB\n');
    chmodSync(program, 0o755);
    const find = () => findTool('mariadb', { PATH: join(folder, 'bin') });
    expect((await find()).where).not.toBe(program);
    mkdirSync(join(folder, 'lib/mysql/plugin'), { recursive: true });
    writeFileSync(join(folder, 'lib/mysql/plugin/auth_ed25519.so'), '');
    expect(await find()).toMatchObject({ found: true, where: program, version: '99.1.2' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('versions are read out of what programs say about themselves', () => {
  expect(parseVersion('postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)')).toBe('15.14');
  expect(parseVersion('Redis server v=7.0.15 sha=00000000:0')).toBe('7.0.15');
  expect(parseVersion('nats-server: v2.9.10')).toBe('2.9.10');
});
