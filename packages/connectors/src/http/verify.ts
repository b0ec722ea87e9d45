import type { Account, ConnectorContext, VerifyResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { verifyFailure } from '../outcome.ts';
import type { HttpConfig } from './config.ts';
import { LOGIN_HINTS, refusalHint, refusalIn } from './refusal.ts';
import { matches, send } from './send.ts';

/** Logs in as the account; makes one attempt. */
export async function verifyHttp(
  config: HttpConfig,
  account: Account,
  secret: string,
  ctx: ConnectorContext,
): Promise<VerifyResult> {
  try {
    await logIn(config, { username: account.username, password: secret }, ctx);
    return { outcome: 'accepted' };
  } catch (error) {
    return verifyFailure(error);
  }
}

/**
 * Throws ConnectorError with the kind that the settings give the answer; `protocol` if they do not describe
 * it.
 */
export async function logIn(
  config: HttpConfig,
  values: { readonly username: string; readonly password: string | undefined },
  ctx: ConnectorContext,
): Promise<void> {
  const { username, password } = values;
  if (!password) throw new ConnectorError('configuration', 'A login needs a password.');
  const response = await send(config, config.verify, { username, password }, ctx);
  const refusal = refusalIn(response, config.verify.refused, { username });
  if (refusal !== undefined)
    throw new ConnectorError(refusal.kind, `The target refuses the login (status ${response.status}).`, {
      hint: refusalHint(response, refusal, LOGIN_HINTS),
    });
  if (matches(response, config.verify.accepted, { username })) return;
  throw new ConnectorError(
    'protocol',
    `The target's answer to the login matches no description in the settings (status ${response.status}).`,
    {
      hint: "Compare verify.accepted and verify.refused in the settings with the target's answers.",
    },
  );
}
