import { isDeepStrictEqual } from 'node:util';
import type * as settings from '@claviger/contracts/auth/v1/settings';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { maskSecrets } from '@claviger/settings';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { SettingsDeps } from './deps.ts';
import { shownValues } from './get-config.ts';
import { pendingRestarts } from './pending-restarts.ts';
import { type PlannedChange, planChange } from './plan-change.ts';
import { keysInScope } from './setting-keys.ts';
import {
  configVersion,
  decryptedValues,
  lastChanges,
  lockConfig,
  settingsWithValue,
  writeVersion,
} from './settings-store.ts';

const MAX_SHOWN_LENGTH = 500;

/** Applies the given settings as one new version; without a difference no version is created. */
export function updateConfig(deps: SettingsDeps): Handler<typeof settings.ConfigService.updateConfig> {
  return async (request, context) => {
    const { tenantId } = context;
    const { platform } = context.actor;
    context.auditSubject = { type: 'config', id: tenantId };
    const document = (request.values ?? {}) as Record<string, unknown>;
    const result = await deps.database.withTenant(tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      await lockConfig(tx, tenantId);
      const version = await configVersion(tx);
      if (request.rowVersion !== undefined && request.rowVersion !== version) {
        throw new ClavigerError('precondition_failed', 'The configuration has changed since you read it.', {
          hint: 'Read it again, then repeat your change.',
        });
      }
      const touched = settingsWithValue(await lastChanges(tx)).filter(({ named }) =>
        Object.hasOwn(document, named.section),
      );
      const current = await decryptedValues(deps.tenantKeys, tx, touched);
      const changes = planChange({ document, current, platform });
      const next = changes.length > 0 ? version + 1 : version;
      if (changes.length > 0) {
        await writeVersion(deps.tenantKeys, tx, context, { version: next, reason: request.reason, changes });
      }
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { version: next, changes: changes.map(shownChange) },
      });
      return { version: next, changes, stored: await lastChanges(tx) };
    });
    return {
      rowVersion: result.version,
      effectiveNow: result.changes
        .filter(({ named }) => (named.key.restart ?? []).length === 0)
        .map(({ named }) => named.name),
      pendingRestart: await pendingRestarts(deps.database, result.stored),
      values: shownValues(keysInScope(platform), result.stored),
    };
  };
}

/** Details for the audit log: no secrets, only whether one changed. */
function shownChange({ named, before, after }: PlannedChange) {
  const [old, next] = [before, after].map((value) => maskSecrets(named.key, value ?? named.key.default));
  return {
    key: named.name,
    old: shown(old!.masked),
    new: shown(next!.masked),
    ...(isDeepStrictEqual(old!.secrets, next!.secrets) ? {} : { secretChanged: true }),
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH).toWellFormed()}…` : text;
}
