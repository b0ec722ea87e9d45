import { OutboundError } from '@claviger/outbound';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange } from '../deadline.ts';
import { newPasswordProblem } from '../new-password.ts';
import { failureBeforeChange } from '../outcome.ts';
import { requireAdmin, requireCurrent } from '../rotation-secrets.ts';
import type { HttpConfig } from './config.ts';
import { CHANGE_HINTS, refusalHint, refusalIn } from './refusal.ts';
import { matches, send } from './send.ts';
import type { Values } from './template.ts';

/**
 * Sets a new password with the request in the settings, which names the account. Does not verify it: log in
 * with the new password afterwards. After the first byte was sent, only an answer that the settings describe
 * as a refusal counts as a refusal.
 */
export async function rotateHttp(
  config: HttpConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = newPasswordProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    const values = valuesFor(config, account, secrets);
    const response = await send(config, config.rotate, values, ctx, () => assertMayChange(ctx));
    const refusal = refusalIn(response, config.rotate.refused, values);
    const status = `status ${response.status}`;
    if (refusal !== undefined)
      return {
        outcome: 'refused',
        kind: refusal.kind,
        reason: `The target refuses the change (${status}).`,
        hint: refusalHint(response, refusal, CHANGE_HINTS),
      };
    if (matches(response, config.rotate.accepted, values)) return { outcome: 'applied' };
    return {
      outcome: 'ambiguous',
      reason: `The target's answer to the change matches no description in the settings (${status}).`,
    };
  } catch (error) {
    if (error instanceof OutboundError && error.sent) return { outcome: 'ambiguous', reason: error.message };
    return failureBeforeChange(error);
  }
}

function valuesFor(config: HttpConfig, { username }: Account, secrets: RotationSecrets): Values {
  const { next } = secrets;
  if (config.rotateAs === 'self') return { username, password: requireCurrent(secrets), newPassword: next };
  const admin = requireAdmin(secrets);
  if (admin.password === undefined)
    throw new ConnectorError('configuration', 'The administrator of this target has no password.', {
      hint: 'Give the resource an admin entry of the type password.',
    });
  return { username, newPassword: next, adminUsername: admin.username, adminPassword: admin.password };
}
