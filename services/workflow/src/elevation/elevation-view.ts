import { rowMapper } from '@claviger/contracts';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Actor } from '@claviger/service-kit';
import { statusAt } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';
import { mayReadRulesOf } from './may-see-elevation.ts';

const mapElevationRequest = rowMapper<elevation.ElevationRequest>('claviger.workflow.v1.ElevationRequest');

/** A row as the API shows it to this actor, as of `nowMs` by the database's clock. */
export function elevationMessage(
  row: ElevationRow,
  nowMs: number,
  actor: Pick<Actor, 'permissions' | 'siteIds'>,
): elevation.ElevationRequest {
  return mapElevationRequest({
    ...row,
    org_id: row.tenant_id,
    status: statusAt(row, nowMs),
    ...(mayReadRulesOf(actor, row) ? {} : hiddenRuleOf(row)),
  });
}

/**
 * Every reader may see that a person decided. The source of an automatic decision and the version would
 * disclose rules.
 */
function hiddenRuleOf(row: ElevationRow) {
  return {
    matched_policy_name: null,
    pam_rule_id: null,
    pam_rule_name: null,
    decision_source: row.decision_source === 'human' ? 'human' : null,
    rule_set_version: '',
  };
}
