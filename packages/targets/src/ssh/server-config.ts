import { run } from '../run.ts';
import type { LoginMethod } from './login.ts';

/**
 * The server's settings. PAM is on, so that logins and `passwd` follow the machine's own rules; only the
 * targets' accounts get in, and nothing is forwarded. Many tests log in at once from one address, which the
 * limits allow.
 */
export async function serverConfig(
  sshd: string,
  settings: {
    readonly port: number;
    readonly hostKey: string;
    /** Holds a file of public keys for each account that has some. */
    readonly keysFolder: string;
    readonly methods: readonly LoginMethod[];
    /** Lines in place of those of their keywords, and `Match` blocks, which come last. */
    readonly settings: readonly string[];
    /** Refuses the accounts of the machine. */
    readonly onlyTargetAccounts: boolean;
  },
): Promise<string> {
  const yesNo = (method: LoginMethod) => (settings.methods.includes(method) ? 'yes' : 'no');
  const isMatch = (setting: string) => setting.startsWith('Match ');
  const keyword = (line: string) => line.split(' ', 1)[0];
  const own = settings.settings.filter((setting) => !isMatch(setting));
  const lines = [
    'ListenAddress 127.0.0.1',
    `Port ${settings.port}`,
    `HostKey ${settings.hostKey}`,
    'PidFile none',
    'UsePAM yes',
    `PasswordAuthentication ${yesNo('password')}`,
    `KbdInteractiveAuthentication ${yesNo('keyboard-interactive')}`,
    'PubkeyAuthentication yes',
    'AuthorizedKeysFile none',
    // As root, because only root may access the folder.
    `AuthorizedKeysCommand /bin/cat ${settings.keysFolder}/%u`,
    'AuthorizedKeysCommandUser root',
    // The account root of the machine is refused: see AllowUsers.
    'PermitRootLogin yes',
    ...(settings.onlyTargetAccounts ? ['AllowUsers clv-*'] : []),
    'DisableForwarding yes',
    'PermitUserRC no',
    'PermitUserEnvironment no',
    'PrintMotd no',
    'UseDNS no',
    'MaxStartups 200',
    'MaxAuthTries 6',
    'LoginGraceTime 60',
    'LogLevel INFO',
  ];
  if (await knowsPenalties(sshd, settings)) lines.push('PerSourcePenalties no');
  const others = lines.filter((line) => !own.some((setting) => keyword(setting) === keyword(line)));
  return `${[...own, ...others, ...settings.settings.filter(isMatch)].join('\n')}\n`;
}

/**
 * From 9.8 on, sshd shuts out an address after a few failed logins. Older ones do not know the setting and
 * refuse to start.
 */
async function knowsPenalties(sshd: string, { hostKey }: { readonly hostKey: string }): Promise<boolean> {
  const options = ['-T', '-f', '/dev/null', '-h', hostKey];
  return (await run(sshd, options)).toLowerCase().includes('persourcepenalties');
}
