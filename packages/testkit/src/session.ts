import type { RestClient } from './rest-client.ts';

/** Well below the lifetime of an access token, five minutes. */
const RENEW_AFTER_MS = 120_000;
/** Retry interval after a failure, e.g. by a rate limit: the present token stays valid for minutes. */
const TRY_AGAIN_MS = 10_000;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export type SessionToken = (() => Promise<string>) & { adopt(answer: Record<string, unknown>): void };

/**
 * Returns the present access token of a session and renews it as a client would: a test file may run longer
 * than a token is valid. After the session has ended, keeps the last token, which the gateway refuses.
 */
export function sessionToken(anonymous: RestClient, signedIn: Record<string, unknown>): SessionToken {
  let tokens = signedIn as unknown as Tokens;
  let renewAtMs = performance.now() + RENEW_AFTER_MS;
  let ended = false;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const answer = await anonymous.post('/api/v1/auth/refresh', { refresh_token: tokens.refresh_token });
    if (answer.status === 200) {
      tokens = answer.body as unknown as Tokens;
      renewAtMs = performance.now() + RENEW_AFTER_MS;
    } else {
      ended = answer.status === 401;
      renewAtMs = performance.now() + TRY_AGAIN_MS;
    }
  };
  const adopt = (answer: Record<string, unknown>): void => {
    tokens = answer as unknown as Tokens;
    renewAtMs = performance.now() + RENEW_AFTER_MS;
  };
  const current = async (): Promise<string> => {
    if (!ended && performance.now() > renewAtMs) {
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      await renewing;
    }
    return tokens.access_token;
  };
  return Object.assign(current, { adopt });
}
