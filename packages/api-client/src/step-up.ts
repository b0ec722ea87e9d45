import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readCode } from '@claviger/terminal/read-code';
import { CliProblem } from './cli-problem.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { withTokenLock, writeTokens } from './profiles.ts';
import { type Session, type TokenAnswer, tokensFrom } from './session.ts';

export interface CodeOptions extends ConnectionOptions {
  readonly codeStdin?: boolean;
}

/**
 * Runs `work`. If it requires a recent second factor, asks for a code, verifies it, and runs `work` again.
 */
export async function withStepUp<T>(
  { connection, invoke }: Pick<Session, 'connection' | 'invoke'>,
  options: CodeOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliProblem) || error.code !== 'mfa_not_satisfied') throw error;
    requireProfile(connection);
    const answer = await invoke<TokenAnswer>('CompleteMfaChallenge', { code: await codeOf(options) });
    await keepTokens(connection, answer);
    return await work();
  }
}

export const codeOf = ({ codeStdin }: CodeOptions): Promise<string> =>
  readCode({
    fromStdin: codeStdin,
    question: 'Code of the second factor: ',
    otherWay: 'give the code with --code-stdin',
  });

/** A verified factor creates a new session with new tokens, which CLAVIGER_TOKEN cannot receive. */
export function requireProfile({ token }: Connection): void {
  if (token === undefined) return;
  throw new CommandError(
    'CLAVIGER_TOKEN is set: unset it and sign in with `claviger login` to prove a second factor',
    EXIT.usage,
  );
}

export async function keepTokens({ profileName, server }: Connection, answer: TokenAnswer): Promise<void> {
  await withTokenLock(() => writeTokens(profileName, tokensFrom(server, answer)));
}
