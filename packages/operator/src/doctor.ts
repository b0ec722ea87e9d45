import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  findTool,
  isPortFree,
  parseVersion,
  runProgram,
  serversAccount,
  startNats,
  startPostgres,
  startRedis,
  type ToolName,
} from '@claviger/backing-servers';
import { findRunning } from '@claviger/installation';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, sayJson, table } from '@claviger/terminal/output';
import { accepts } from './status.ts';

/** One line of the report. */
interface Finding {
  readonly name: string;
  /** Whether `up` requires it. */
  readonly required: boolean;
  readonly ok: boolean;
  readonly where: string;
  readonly version: string;
  readonly reachable: string;
  readonly fix: string;
}

const lowDiskBytes = 2 * 1024 ** 3;

async function toolFinding(name: ToolName, required: boolean, dataDir: string): Promise<Finding> {
  const found = await findTool(name);
  const base = {
    name: found.title,
    required,
    ok: found.found,
    where: found.where ?? 'not found',
    version: found.version ?? '-',
    reachable: '-',
    fix: found.fix ?? '',
  };
  if (found.source === 'url') return { ...base, ...(await externalFinding(name)) };
  const running = (await findRunning(dataDir))?.processes.find((each) => each.name === name);
  if (running?.port === undefined) return { ...base, reachable: required ? 'not running' : '-' };
  const reachable = await accepts(running.port);
  return {
    ...base,
    ok: base.ok && reachable,
    reachable: `127.0.0.1:${running.port} ${reachable ? 'answers' : 'does not answer'}`,
    fix: reachable ? base.fix : `see ${dataDir}/logs/${name}.log; then \`claviger down\` and \`claviger up\``,
  };
}

const starters: Partial<Record<ToolName, typeof startPostgres | typeof startRedis | typeof startNats>> = {
  postgres: startPostgres,
  redis: startRedis,
  nats: startNats,
};

/** Asks a server that is given by URL for its version. Starts nothing; the folders below are not used. */
async function externalFinding(name: ToolName): Promise<Partial<Finding>> {
  try {
    const server = await starters[name]?.({ dataDir: '/nonexistent', logFile: '/nonexistent' });
    if (server === undefined) return {};
    return { version: server.version, reachable: `${server.host}:${server.port} answers` };
  } catch (error) {
    return { ok: false, reachable: 'no', fix: (error as Error).message };
  }
}

async function nodeFinding(): Promise<Finding> {
  const ok = Number(process.versions.node.split('.')[0]) >= 24;
  const fix = ok ? '' : 'start through ./claviger, which brings a newer one';
  const version = process.versions.node;
  return { name: 'Node.js', required: true, ok, where: process.execPath, version, reachable: '-', fix };
}

async function dockerFinding(): Promise<Finding> {
  const answer = await runProgram('docker', ['--version'], { timeoutMs: 10_000 });
  const ok = answer.code === 0;
  return {
    name: 'Docker',
    required: false,
    ok,
    where: ok ? 'docker' : 'not found',
    version: parseVersion(answer.stdout) ?? '-',
    reachable: '-',
    fix: ok ? '' : 'optional: deploy/compose.yaml brings the same servers with it',
  };
}

async function dataFolderFinding(dataDir: string): Promise<Finding> {
  const base = { name: 'data folder', required: true, where: dataDir, version: '-' };
  let existing = dataDir;
  while (
    await access(existing).then(
      () => false,
      () => dirname(existing) !== existing,
    )
  ) {
    existing = dirname(existing);
  }
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const ok = writable && freeBytes > lowDiskBytes;
  const fix = ok
    ? ''
    : writable
      ? 'free at least 2 GiB, or set CLAVIGER_DATA_DIR to another disk'
      : `make ${existing} writable, or set CLAVIGER_DATA_DIR`;
  const reachable = `${writable ? 'writable' : 'not writable'}, ${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  return { ...base, ok, reachable, fix };
}

async function accountFinding(): Promise<Finding> {
  const base = { name: "servers' account", required: true, version: '-', reachable: '-' };
  try {
    const account = await serversAccount();
    return { ...base, ok: true, where: account?.name ?? 'the own one', fix: '' };
  } catch (error) {
    return { ...base, ok: false, where: 'none', fix: (error as Error).message };
  }
}

async function portFinding(dataDir: string): Promise<Finding> {
  const url = (await findRunning(dataDir))?.url;
  const port = url === undefined ? 7101 : Number(new URL(url).port);
  const ok = url !== undefined || (await isPortFree(port));
  return {
    name: `port ${port}`,
    required: true,
    ok,
    where: '127.0.0.1',
    version: '-',
    reachable: url !== undefined ? 'serves Claviger' : ok ? 'free' : 'in use by another program',
    fix: ok ? '' : 'choose another one: claviger up --port 7201',
  };
}

/** The command `doctor`: checks everything that `up`, `demo` and `test` need. Changes nothing. */
export async function doctor(dataDir: string, json: boolean): Promise<ExitCode> {
  const findings = await Promise.all([
    nodeFinding(),
    toolFinding('postgres', true, dataDir),
    toolFinding('redis', true, dataDir),
    toolFinding('nats', true, dataDir),
    accountFinding(),
    dataFolderFinding(dataDir),
    portFinding(dataDir),
    toolFinding('sshd', false, dataDir),
    toolFinding('openssl', false, dataDir),
    dockerFinding(),
  ]);
  const ok = findings.every((each) => each.ok || !each.required);
  if (json) sayJson({ ok, findings });
  else {
    const rows = findings.map((each) => [
      each.ok ? 'ok' : each.required ? 'MISSING' : 'optional',
      each.name,
      each.version,
      each.where,
      each.reachable,
    ]);
    say(table([['', 'WHAT', 'VERSION', 'WHERE', 'REACHABLE'], ...rows]));
    for (const each of findings) if (each.fix !== '') say(`${each.name}: ${each.fix}`);
    if (!ok)
      say(
        '`claviger up` installs missing servers by itself where it may (as root, with sudo, or with brew).',
      );
  }
  return ok ? EXIT.ok : EXIT.error;
}
