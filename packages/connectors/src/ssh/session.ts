import { Client } from 'ssh2';
import type { ConnectorContext, Credential } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { guardStream } from '../network/guard-stream.ts';
import { openSocket } from '../network/open-socket.ts';
import { serverText } from '../server-text.ts';
import { isAccountName } from './account-name.ts';
import { authenticateOnce } from './authentication.ts';
import type { SshConfig } from './config.ts';
import { PasswordMustChange } from './ended-before-command.ts';
import { hostKeyFingerprint } from './host-key.ts';
import { refusalIn } from './passwd-messages.ts';

/** A login to a host whose key is pinned. */
export interface SshSession extends AsyncDisposable {
  readonly client: Client;
  /** Whether the host has ever opened a session for a command. */
  hasOpened: boolean;
}

/** What the host presents before the login. */
export interface SeenHost {
  serverVersion?: string;
  hostKeyFingerprint?: string;
}

/** Modern algorithms only; SHA-1 signatures are not accepted. */
const serverHostKey = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/**
 * Groups of a fixed size of at most 4096 bits. With group exchange the server chooses the group: one of
 * 32,000 bits takes minutes in a single call that cannot be interrupted.
 */
const kex = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group14-sha256',
] as const;

/**
 * Connects, checks the host key, and logs in with one attempt. Writes what the host presented to `seen`, also
 * if it throws ConnectorError.
 */
export async function openSession(
  config: SshConfig,
  credential: Credential,
  ctx: ConnectorContext,
  signal: AbortSignal,
  seen: SeenHost = {},
): Promise<SshSession> {
  if (!isAccountName(credential.username))
    throw new ConnectorError('configuration', 'The account name is not valid on Linux hosts.');
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const authentication = authenticateOnce(credential, reject);
  const { socket } = await openSocket(config.host, config.port, ctx, signal);
  guardStream(socket);
  let greeting = '';
  socket.once('data', (chunk: Buffer) => {
    greeting = chunk.toString('latin1', 0, 1_000);
    const banner = /^SSH-2\.0-([^\r\n]{1,200})/m.exec(greeting);
    if (banner?.[1] !== undefined) seen.serverVersion = serverText(banner[1]);
  });

  const client = new Client();
  let untrusted: ConnectorError | undefined;
  let notice = '';
  client.on('banner', (text) => {
    // A banner before the attempt is the same for every account.
    if (authentication.attempted()) notice += text.slice(0, 1_000);
  });
  client.on('error', (error) => {
    const broken = turnedAway(greeting) ?? asConnectorError(error);
    reject(untrusted ?? authentication.failure() ?? broken);
  });
  client.on('close', () =>
    reject(untrusted ?? turnedAway(greeting) ?? closedDuringLogin(authentication.attempted(), notice)),
  );
  client.on('change password', () => reject(new PasswordMustChange()));
  client.on('ready', () => {
    if (authentication.attempted()) return resolve();
    reject(new ConnectorError('protocol', 'The server accepted the login without checking the credential.'));
  });
  try {
    client.connect({
      sock: socket,
      username: credential.username,
      readyTimeout: 0,
      keepaliveInterval: 0,
      // No compression: a few bytes could expand without limit.
      algorithms: { kex: [...kex], serverHostKey: [...serverHostKey], compress: ['none'] },
      hostVerifier: (key: Buffer) => {
        seen.hostKeyFingerprint = hostKeyFingerprint(key);
        if (config.hostKeys.includes(seen.hostKeyFingerprint)) return true;
        untrusted = hostKeyProblem(config, seen.hostKeyFingerprint);
        return false;
      },
      authHandler: authentication.handler,
    });
    await ready;
  } catch (error) {
    client.destroy();
    socket.destroy();
    throw asConnectorError(error);
  }
  return {
    client,
    hasOpened: false,
    async [Symbol.asyncDispose]() {
      client.end();
      socket.destroySoon();
    },
  };
}

/** sshd refuses a connection with clear text before the key exchange. */
function turnedAway(greeting: string): ConnectorError | undefined {
  if (/^Exceeded MaxStartups/m.test(greeting))
    return new ConnectorError('not_now', 'The server has too many pending logins (MaxStartups).', {
      hint: 'If this persists, raise MaxStartups in sshd_config.',
    });
  if (/^Not allowed at this time/m.test(greeting))
    return new ConnectorError('not_now', 'The server blocks this address after failed logins.', {
      hint: 'Wait, or exempt the address of Claviger: PerSourcePenaltyExemptList in sshd_config.',
    });
  return undefined;
}

/**
 * sshd answers each password; it closes the connection if PAM's account rules refuse the login afterwards.
 */
function closedDuringLogin(attempted: boolean, notice: string): ConnectorError {
  if (!attempted) return new ConnectorError('unreachable', 'The server closed the connection during login.');
  const words = serverText(notice);
  const refusal = refusalIn(words);
  if (refusal !== undefined && refusal.kind !== 'policy')
    return new ConnectorError(refusal.kind, `The host refuses the login: ${words}`, refusal);
  if (words !== '')
    return new ConnectorError('not_now', `The host refuses the login: ${words}`, {
      hint: 'Remove /etc/nologin on the host when its maintenance is over.',
    });
  return new ConnectorError(
    'protocol',
    'The server closed the connection without an answer to the credential.',
    {
      hint: "See the host's log: PAM's account rules (pam_access, pam_time) end a login this way.",
    },
  );
}

function hostKeyProblem(config: SshConfig, seen: string): ConnectorError {
  if (config.hostKeys.length === 0)
    return new ConnectorError('untrusted', `No host key is pinned for this target; it presents ${seen}.`, {
      hint: "Compare this fingerprint on the host itself, then add it to the target's hostKeys.",
    });
  return new ConnectorError('untrusted', `The host presents ${seen}, which is not a pinned key.`, {
    hint: 'Find out why the key differs before you change the settings: it may be another host.',
  });
}
