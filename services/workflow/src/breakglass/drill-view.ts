import { rowMapper } from '@claviger/contracts';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { BreakglassDrillRow } from './breakglass-schema.ts';

const mapBreakglassDrill = rowMapper<breakglass.BreakglassDrill>('claviger.workflow.v1.BreakglassDrill');

export function drillMessage(row: BreakglassDrillRow): breakglass.BreakglassDrill {
  return mapBreakglassDrill({
    ...row,
    run_by_id: row.run_by,
    steps: row.steps.map((step) => ({ ...step })),
  });
}
