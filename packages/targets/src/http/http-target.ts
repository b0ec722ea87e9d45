import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { selfSignedCertificate } from '../postgres/certificate.ts';
import { reservePort } from '../reserve-port.ts';
import { HttpAccounts, type PastPassword } from './http-accounts.ts';

/**
 * - `ok`: does what it is asked;
 * - `refuse_policy`: answers every change with 422 and keeps the password;
 * - `apply_then_timeout`: changes the password and never answers;
 * - `apply_then_error`: changes the password and answers 500;
 * - `lie_ok`: says that it has changed the password, and keeps it;
 * - `lock_after_3`: three failed logins in a row lock the account, also for the right password;
 * - `down`: the port is closed;
 * - an answer: given to every request, whatever it asks; nothing is changed.
 */
export type HttpTargetMode =
  | 'ok'
  | 'refuse_policy'
  | 'apply_then_timeout'
  | 'apply_then_error'
  | 'lie_ok'
  | 'lock_after_3'
  | 'down'
  | HttpTargetAnswer;

export interface HttpTargetAnswer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An appliance with an API over HTTPS: `GET /api/me` (Basic, answers `{"user": …}`), `POST /api/login` (a
 * form), and `POST /api/users/NAME/password` (Basic as that account or as the administrator, `{"password":
 * …}`).
 */
export interface HttpTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly admin: { readonly username: string; readonly password: string };
  /** The server's self-signed certificate (PEM). */
  readonly certificate: string;
  setMode(mode: HttpTargetMode): Promise<void>;
  createAccount(username: string, password: string): void;
  /** Whether the password is correct, without a login that could lock the account. */
  accepts(username: string, password: string): boolean;
  /** Every password that the account ever had, the current one last. */
  history(username: string): readonly PastPassword[];
  /** Failed logins since the last successful one. */
  failedLogins(username: string): number;
  unlock(username: string): void;
  /** Method and address of each request. */
  requests(): readonly string[];
  stop(): Promise<void>;
}

export async function startHttpTarget(): Promise<HttpTarget> {
  const { certificate, privateKey } = await selfSignedCertificate();
  const accounts = new HttpAccounts();
  const admin = { username: 'admin', password: randomBytes(24).toString('base64url') };
  accounts.set(admin.username, admin.password);
  let mode: HttpTargetMode = 'ok';
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    serve(accounts, admin.username, mode, request, response).catch((error: Error) => response.destroy(error));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  const reserved = await reservePort();
  const { port } = reserved;
  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const stop = async () => {
    await close();
    reserved[Symbol.dispose]();
  };
  await listen();
  return {
    host: '127.0.0.1',
    port,
    admin,
    certificate,
    async setMode(next) {
      mode = next;
      if (next === 'down') await close();
      else if (!server.listening) await listen();
    },
    createAccount: (username, password) => accounts.set(username, password),
    accepts: (username, password) => accounts.accepts(username, password),
    history: (username) => accounts.history(username),
    failedLogins: (username) => accounts.failures(username),
    unlock: (username) => accounts.unlock(username),
    requests: () => requests,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function serve(
  accounts: HttpAccounts,
  adminName: string,
  mode: HttpTargetMode,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const body = await read(request);
  if (typeof mode === 'object') {
    response.writeHead(mode.status, { 'content-type': 'application/json', ...mode.headers });
    return void response.end(JSON.stringify(mode.body ?? {}));
  }
  const path = new URL(request.url ?? '/', 'https://target.invalid').pathname;
  const isForm = path === '/api/login';
  const form = new URLSearchParams(isForm ? body : '');
  const login = isForm
    ? { username: form.get('username') ?? '', password: form.get('password') ?? '' }
    : basic(request.headers.authorization);
  const verdict = accounts.login(login.username, login.password, mode === 'lock_after_3');
  if (verdict === 'locked') return answer(423, { error: 'locked' });
  if (verdict === 'refused') return answer(401, { error: 'login refused' });
  const changed = /^\/api\/users\/([^/]+)\/password$/.exec(path)?.[1];
  if (changed === undefined) return answer(200, { user: login.username });
  const username = decodeURIComponent(changed);
  if (login.username !== username && login.username !== adminName) return answer(403, { error: 'not yours' });
  if (accounts.history(username).length === 0) return answer(404, { error: 'no such user' });
  const { password } = JSON.parse(body) as { password: string };
  if (mode === 'refuse_policy' || password.length < 8) return answer(422, { error: 'policy' });
  if (mode !== 'lie_ok') accounts.set(username, password);
  if (mode === 'apply_then_timeout') return;
  if (mode === 'apply_then_error') return answer(500, { error: 'database' });
  answer(200, { changed: true });
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

function basic(header: string | undefined): { username: string; password: string } {
  const pair = Buffer.from(/^Basic (.+)$/.exec(header ?? '')?.[1] ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return { username: pair.slice(0, Math.max(colon, 0)), password: pair.slice(colon + 1) };
}
