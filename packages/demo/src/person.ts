import { ApiClient } from '@claviger/api-client';
import { CliProblem } from '@claviger/api-client/cli-problem';
import * as auth from '@claviger/contracts/auth/v1/auth';
import { DemoFailure, type Narrator } from './narrator.ts';

/** The server that the people of the demo use. */
export interface DemoServer {
  readonly url: string;
  /** CA certificate (PEM). */
  readonly ca: string;
}

/** A signed-in person; the token is only in memory. */
export interface Person extends AsyncDisposable {
  readonly name: string;
  readonly id: string;
  readonly api: ApiClient;
  /** Continues with the token of another session. */
  useToken(accessToken: string): void;
}

/** Signs in by the public API. */
export async function signIn(server: DemoServer, username: string, password: string): Promise<Person> {
  let token: string | undefined;
  const api = new ApiClient({ baseUrl: server.url, ca: server.ca, token: async () => token });
  try {
    const answer = await api.call(auth.AuthService.login, { username, password });
    token = answer.accessToken;
    return {
      name: username,
      id: answer.user!.id,
      api,
      useToken: (accessToken) => {
        token = accessToken;
      },
      [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
    };
  } catch (error) {
    await api[Symbol.asyncDispose]();
    throw error;
  }
}

/** Verifies that the call is refused with this status and code, and prints it. */
export async function mustBeRefused(
  narrator: Narrator,
  what: string,
  expected: { readonly status: number; readonly code?: string },
  call: Promise<unknown>,
): Promise<void> {
  const problem = await call.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof CliProblem) return error;
      throw error;
    },
  );
  if (problem === undefined) throw new DemoFailure(`${what}: it was allowed, but must be refused`);
  const { status, code } = expected;
  if (problem.status !== status || (code !== undefined && problem.code !== code))
    throw new DemoFailure(
      `${what}: refused with ${problem.status} ${problem.code}, not ${status} ${code ?? ''}`.trim(),
    );
  narrator.shows(`${what}: refused (${problem.status} ${problem.code}: ${problem.problem.detail})`);
}
