import type { Control } from '@claviger/compliance-package';
import type { ComplianceDeps } from '../deps.ts';
import { type Assessment, LOOK_BACK_DAYS } from './assessment.ts';
import { breakGlassControls } from './break-glass-controls.ts';
import { disclosureControl } from './disclosure-control.ts';
import { logControls } from './log-controls.ts';
import { accountControls, decisionControls, vaultControls } from './posture-controls.ts';

const CALL_TIMEOUT_MS = 30_000;
const DAY_MS = 86_400_000;

/** Computes the present state of every control of a tenant. Throws when one cannot be computed. */
export async function assessControls(
  deps: ComplianceDeps,
  tenantId: string,
  signal: AbortSignal,
): Promise<Control[]> {
  const now = new Date();
  const assessment: Assessment = {
    deps,
    tenantId,
    from: new Date(now.getTime() - LOOK_BACK_DAYS * DAY_MS),
    now,
    call: { tenantId, timeoutMs: CALL_TIMEOUT_MS, signal },
  };
  const groups = await Promise.all([
    disclosureControl(assessment),
    logControls(assessment),
    vaultControls(assessment),
    accountControls(assessment),
    decisionControls(assessment),
    breakGlassControls(assessment),
  ]);
  return [...groups.flat(), backups];
}

/** This control is listed as not assessed, because the system cannot see its backups. */
const backups: Control = {
  id: 'backups-restorable',
  title: 'Backups of the database and root keys exist and a restore was tested',
  status: 'not_assessed',
  examined: 0,
  violations: 0,
  detail: 'Backups are made outside this system, which cannot check them.',
  computedFrom: 'nothing',
};
