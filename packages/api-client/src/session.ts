import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import type { OutputFormat } from '@claviger/terminal/show';
import type { ApiClient } from './api-client.ts';
import { CliProblem } from './cli-problem.ts';
import { type Connection, type ConnectionOptions, connectionOf } from './connection.ts';
import { readTokens, type Tokens, withTokenLock, writeTokens } from './profiles.ts';

/** What a command for people works with. */
export interface Session {
  readonly api: ApiClient;
  readonly connection: Connection;
  readonly format: OutputFormat;
  /** Calls an operation by its name, e.g. `GetDevice`. */
  invoke<Answer = Record<string, unknown>>(operation: string, request: object): Promise<Answer>;
}

const renewBeforeMs = 30_000;

/**
 * Runs a command signed in: with CLAVIGER_TOKEN, else with the profile's tokens, refreshed when they run out.
 */
export async function withSession<T>(
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const connection = await connectionOf(options);
  const tokens = connection.token === undefined ? await tokensOf(connection) : undefined;
  if (connection.token === undefined && tokens === undefined) {
    throw new CommandError(
      `nobody is signed in at ${connection.server} (profile ${connection.profileName}): use \`claviger login\``,
      EXIT.denied,
    );
  }
  await using api = await createClient(options, connection, async (fresh) => {
    if (connection.token !== undefined) return connection.token;
    return currentToken(options, connection, fresh);
  });
  return await work(await sessionOf(api, connection, options));
}

/** Runs a command that needs no sign-in. */
export async function withoutSession<T>(
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
  token?: () => string | undefined,
): Promise<T> {
  const connection = await connectionOf(options);
  await using api = await createClient(options, connection, async () => token?.());
  return await work(await sessionOf(api, connection, options));
}

/**
 * Metadata of the contract and the client are loaded when a command talks to the server: its help starts
 * without them.
 */
async function sessionOf(
  api: ApiClient,
  connection: Connection,
  options: ConnectionOptions,
): Promise<Session> {
  const { operation } = await import('./operations.ts');
  return {
    api,
    connection,
    format: options.json ? 'json' : (options.output ?? 'table'),
    invoke: async <Answer>(name: string, request: object) =>
      (await api.invoke(operation(name), request)) as Answer,
  };
}

async function createClient(
  options: ConnectionOptions,
  { server, ca, caFile }: Connection,
  token: (fresh: boolean) => Promise<string | undefined>,
): Promise<ApiClient> {
  const { ApiClient } = await import('./api-client.ts');
  return new ApiClient({
    baseUrl: server,
    ...(ca === undefined ? {} : { ca }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(options.showCurl ? { onRequest: tell } : {}),
    token,
  });
}

/** The profile's tokens, unless they are another server's. */
async function tokensOf({ profileName, server }: Connection): Promise<Tokens | undefined> {
  const tokens = await readTokens(profileName);
  return tokens?.server === server ? tokens : undefined;
}

const isLive = (tokens: Tokens | undefined) =>
  tokens !== undefined && tokens.expiresAt - renewBeforeMs > Date.now();

/**
 * An access token that is still good. `fresh`: the one in the file was refused, so that another is needed.
 */
async function currentToken(
  options: ConnectionOptions,
  connection: Connection,
  fresh: boolean,
): Promise<string | undefined> {
  const seen = await tokensOf(connection);
  if (seen === undefined || (isLive(seen) && !fresh)) return seen?.accessToken;
  return withTokenLock(async () => {
    // Another command may have refreshed them while this one waited.
    const now = await tokensOf(connection);
    if (now === undefined || (isLive(now) && now.accessToken !== seen.accessToken)) return now?.accessToken;
    const renewed = await refresh(options, connection, now.refreshToken);
    await writeTokens(connection.profileName, renewed);
    return renewed?.accessToken;
  });
}

/** Undefined when the session is over: the tokens are of no more use. */
async function refresh(
  options: ConnectionOptions,
  connection: Connection,
  refreshToken: string,
): Promise<Tokens | undefined> {
  if (refreshToken === '') return undefined;
  await using api = await createClient(options, connection, async () => undefined);
  try {
    const { operation } = await import('./operations.ts');
    const answer = await api.invoke(operation('Refresh'), { refreshToken });
    return tokensFrom(connection.server, answer as unknown as TokenAnswer);
  } catch (error) {
    if (error instanceof CliProblem && error.status === 401) return undefined;
    throw error;
  }
}

/** Tokens in the answer of a sign-in, a second factor or a refresh. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

/** What a sign-in, a second factor or a refresh answered, as it is kept. */
export function tokensFrom(server: string, answer: TokenAnswer): Tokens {
  const { accessToken, refreshToken, expiresIn } = answer;
  return { server, accessToken, refreshToken, expiresAt: Date.now() + expiresIn * 1000 };
}
