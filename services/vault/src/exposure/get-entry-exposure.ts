import type * as exposure from '@claviger/contracts/vault/v1/exposure';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { entryById } from '../entries/entry-store.ts';
import type { ExposureDeps } from './deps.ts';
import { LEDGER_SORT, LEDGER_TIE, ledger, toExposure } from './ledger-store.ts';

/** Who has seen which version of a secret, newest version first. */
export function getEntryExposure(
  deps: ExposureDeps,
): Handler<typeof exposure.ExposureService.getEntryExposure> {
  return async (request, context) => {
    const id = request.entryId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await entryById(reader, id);
      const all = ledger(reader).where('entry_id', '=', id);
      const rows = request.currentOnly ? all.where('current', '=', true) : all;
      return pageOf({
        request,
        query: rows,
        sort: LEDGER_SORT,
        defaultSort: 'version',
        defaultOrder: 'desc',
        tieBreaker: LEDGER_TIE,
        map: toExposure,
      });
    });
  };
}
