/** The values in the NATS server's configuration file. */
export interface NatsConfiguration {
  readonly port: number;
  readonly serverName: string;
  readonly storeDir: string;
  /** The server's version, e.g. "2.9.10": a server refuses unknown keys. */
  readonly version: string;
  readonly passwords: Readonly<Record<string, string>>;
}

/**
 * Users with all permissions: `operator` (commands, tests) and `audit` (owns the stream and its consumers).
 */
const unrestricted = new Set(['operator', 'audit']);

/** A service that only publishes: events out, acknowledgements in, and the state of the streams. */
const publisherPermissions =
  'permissions: { publish: { allow: ["claviger.>", "$JS.API.INFO", "$JS.API.STREAM.INFO.>", "$JS.API.STREAM.NAMES"] },' +
  ' subscribe: { allow: ["_INBOX.>"] } }';

/** `sync_interval: always` (2.10 and later) makes an acknowledged event survive a power cut. */
export function natsConfiguration(options: NatsConfiguration): string {
  const [major = 0, minor = 0] = options.version.split('.').map(Number);
  const knowsSyncInterval = major > 2 || (major === 2 && minor >= 10);
  const users = Object.entries(options.passwords).map(([user, password]) => {
    const permissions = unrestricted.has(user) ? '' : `, ${publisherPermissions}`;
    return `    { user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)}${permissions} }`;
  });
  return [
    `listen: "127.0.0.1:${options.port}"`,
    `server_name: ${JSON.stringify(options.serverName)}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(options.storeDir)}`,
    ...(knowsSyncInterval ? ['  sync_interval: always'] : []),
    '}',
    'authorization {',
    '  users = [',
    users.join('\n'),
    '  ]',
    '}',
    '',
  ].join('\n');
}
