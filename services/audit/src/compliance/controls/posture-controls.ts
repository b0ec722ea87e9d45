import type { Control } from '@claviger/compliance-package';
import { type Assessment, assessedControl, LOOK_BACK_DAYS } from './assessment.ts';

/** Secrets and their keys, as counted by the vault. */
export async function vaultControls({ deps, call }: Assessment): Promise<Control[]> {
  const posture = await deps.evidence.vault.getVaultPosture({}, call);
  return [
    assessedControl({
      id: 'rotations-on-time',
      title: 'No scheduled rotation is more than a day overdue',
      examined: posture.scheduledEntries,
      violations: posture.overdueEntries,
      computedFrom: 'vault: active entries with a rotation interval, next_rotation_at',
    }),
    assessedControl({
      id: 'rotations-settled',
      title: 'No target is in doubt or out of sync with the vault',
      examined: posture.activeEntries,
      violations: posture.unsettledEntries,
      computedFrom: 'vault: active entries, rotation_state ambiguous or out_of_sync',
    }),
    assessedControl({
      id: 'secrets-within-age',
      title: 'No secret is more than a day older than its rotation interval',
      examined: posture.scheduledEntries,
      violations: posture.entriesOlderThanPolicy,
      detail: 'Entries without a rotation interval have no maximum age and are not counted.',
      computedFrom: 'vault: active entries with a rotation interval, last_rotated_at or created_at',
    }),
    assessedControl({
      id: 'key-encryption-keys-young',
      title: 'The active key-encryption key is at most 90 days old',
      examined: posture.activeKeks,
      violations: posture.oldKeks,
      computedFrom: 'vault: keks in state active, created_at',
    }),
    assessedControl({
      id: 'entitlements-end',
      title: 'Entitlements are removed after they expire',
      examined: posture.liveEntitlements,
      violations: posture.lingeringEntitlements,
      detail: 'An expired entitlement gives no access: the vault checks the expiry at every disclosure.',
      computedFrom: 'vault: entitlements without removed_at, expires_at more than five minutes ago',
    }),
  ];
}

/** People, as counted by auth. */
export async function accountControls({ deps, call }: Assessment): Promise<Control[]> {
  const posture = await deps.evidence.auth.getAuthPosture({}, call);
  return [
    assessedControl({
      id: 'administrators-second-factor',
      title: 'Every administrator has a second factor',
      examined: posture.administrators,
      violations: posture.administratorsWithoutSecondFactor,
      computedFrom: 'auth: active people with permission *, confirmed factors',
    }),
    assessedControl({
      id: 'administrators-active',
      title: 'Every administrator has signed in within 90 days',
      examined: posture.administrators,
      violations: posture.dormantAdministrators,
      computedFrom: 'auth: active people with permission *, last_login_at or created_at',
    }),
    assessedControl({
      id: 'ended-users-signed-out',
      title: 'Disabled and deleted users have no live session or token',
      examined: posture.endedUsers,
      violations: posture.liveSessionsOfEndedUsers,
      computedFrom: 'auth: sessions of disabled and deleted users, revoked_at and expires_at',
    }),
  ];
}

/** Requests, as counted by workflow. */
export async function decisionControls({ deps, call, from }: Assessment): Promise<Control[]> {
  const posture = await deps.evidence.workflow.getWorkflowPosture({ from: from.toISOString() }, call);
  return [
    assessedControl({
      id: 'no-self-approval',
      title: `No request was approved by its own requester in the last ${LOOK_BACK_DAYS} days`,
      examined: posture.decisions,
      violations: posture.selfApprovals,
      computedFrom: 'workflow: decisions against the requester of their request',
    }),
    assessedControl({
      id: 'grants-end',
      title: 'Grants end when they expire',
      examined: posture.openGrants,
      violations: posture.overdueGrants,
      computedFrom: 'workflow: open grants, expires_at more than five minutes ago',
    }),
  ];
}
