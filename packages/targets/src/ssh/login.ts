import { createHash } from 'node:crypto';
import { Client } from 'ssh2';

export type LoginMethod = 'password' | 'keyboard-interactive';

/**
 * Logs in with a password once: true, or false if the server refused it. Throws otherwise, e.g. for another
 * host key.
 */
export function login(
  server: {
    readonly host: string;
    readonly port: number;
    readonly hostKeyFingerprint: string;
    readonly method: LoginMethod;
  },
  username: string,
  password: string,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const client = new Client();
  client.on('ready', () => {
    resolve(true);
    client.end();
  });
  client.on('error', (error) => {
    if (error.level === 'client-authentication') resolve(false);
    else reject(error);
  });
  client.on('close', () => reject(new Error('The SSH target closed the connection during login.')));
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) =>
    finish(prompts.map(() => password)),
  );
  client.connect({
    host: server.host,
    port: server.port,
    username,
    readyTimeout: 30_000,
    hostVerifier: (key: Buffer) =>
      `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}` ===
      server.hostKeyFingerprint,
    password,
    tryKeyboard: server.method === 'keyboard-interactive',
    authHandler: [server.method],
  });
  return promise;
}
