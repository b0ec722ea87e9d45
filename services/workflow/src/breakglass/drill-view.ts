import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { BreakglassDrillRow } from './breakglass-schema.ts';

export function drillMessage(row: BreakglassDrillRow): breakglass.BreakglassDrill {
  return {
    id: row.id,
    passed: row.passed,
    runById: row.run_by,
    runByName: row.run_by_name,
    runAt: row.run_at.toISOString(),
    steps: row.steps.map((step) => ({ ...step })),
  };
}
