import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

export interface SoftToken {
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
  /** For the environment of the process that loads the module, before it does. */
  readonly configFile: string;
  /** Creates a 256-bit AES key, unless other attributes are given. */
  makeKey(label: string, ...more: string[]): void;
}

/**
 * A SoftHSM token in a folder, for tests. Installs Debian's packages when they are missing and this is root;
 * otherwise the error names the packages.
 */
export function makeSoftToken(folder: string, env: NodeJS.ProcessEnv, tokenLabel = 'claviger'): SoftToken {
  const module = findModule(env);
  const configFile = join(folder, 'softhsm2.conf');
  mkdirSync(join(folder, 'tokens'), { recursive: true, mode: 0o700 });
  writeFileSync(
    configFile,
    `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, [...args], { env: { ...env, SOFTHSM2_CONF: configFile }, stdio: 'pipe' });
  // The PINs of a test token protect nothing, so they may be arguments.
  run('softhsm2-util', [
    '--init-token',
    '--free',
    '--label',
    tokenLabel,
    '--so-pin',
    '87654321',
    '--pin',
    '1234',
  ]);
  const pinFile = join(folder, 'pin');
  writeFileSync(pinFile, '1234\n', { mode: 0o600 });
  return {
    module,
    tokenLabel,
    pinFile,
    configFile,
    makeKey: (label, ...more) => {
      const kind = more.length > 0 ? more : ['--key-type', 'AES:32', '--sensitive'];
      run('pkcs11-tool', [
        '--module',
        module,
        '--token-label',
        tokenLabel,
        '--login',
        '--pin',
        '1234',
        '--keygen',
        '--label',
        label,
        ...kind,
      ]);
    },
  };
}

function findModule(env: NodeJS.ProcessEnv): string {
  const isProgram = (name: string) =>
    (env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)));
  const complete = () =>
    MODULES.find((path) => existsSync(path) && ['softhsm2-util', 'pkcs11-tool'].every(isProgram));
  const found = complete();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && isProgram('apt-get')) {
    const apt = (...args: string[]) =>
      execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        stdio: ['ignore', 2, 2],
      });
    apt('update');
    apt('install', '-y', '--no-install-recommends', 'softhsm2', 'opensc');
  }
  const installed = complete();
  if (installed !== undefined) return installed;
  throw new Error(
    'These tests require SoftHSM and OpenSC: apt-get install softhsm2 opensc, or brew install softhsm opensc',
  );
}
