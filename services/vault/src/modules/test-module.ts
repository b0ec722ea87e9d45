import type { TestResult } from '@claviger/connectors';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { UNIFORM_PROBLEM, untilUniform } from '@claviger/outbound';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import { recordRefusal, returnProbe, spendProbe } from '../accounts/probe-budget.ts';
import { requireAccountUse } from '../rights/require-account-use.ts';
import type { VaultReader } from '../schema.ts';
import { connectorOf } from '../targets/connector-of.ts';
import {
  connectorContext,
  credentialOf,
  encryptedAccount,
  loadTarget,
  storedSecret,
  usableAdmin,
} from '../targets/load-target.ts';
import { maySeeReachability, UNIFORM_HINT } from '../targets/target-answer.ts';
import type { ModulesDeps } from './deps.ts';
import { moduleById } from './module-store.ts';

const TEST_TIMEOUT_MS = 8_000;

/**
 * Logs in to a resource of the module with its admin entry or its first account, and stores the result as
 * status.
 */
export function testModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.testModule> {
  return async (request, context) => {
    context.auditSubject = { type: 'module', id: request.moduleId };
    const moduleId = request.moduleId;
    const { target, account } = await deps.database.readTenant(context.tenantId, async (reader) => {
      const module = await moduleById(reader, moduleId);
      if (!module.enabled) {
        throw new ClavigerError('conflict', 'The module is disabled.', {
          code: 'module_disabled',
          hint: 'Enable the module first.',
        });
      }
      const resourceId = await testedResource(reader, moduleId, request.resourceId);
      const target = await loadTarget(reader, resourceId);
      const account = usableAdmin(target) ?? (await firstAccount(reader, resourceId));
      if (account) {
        await requireAccountUse(reader, context, { owner_id: target.ownerId }, account.entryId, 'view');
      }
      return { target, account };
    });
    if (!account) {
      throw new ClavigerError('conflict', 'The resource has no account for the login.', {
        code: 'no_account',
        hint: 'Create an entry for the resource, or give the resource an admin entry.',
      });
    }
    const credential = await credentialOf(account, deps.secrets);
    const login = accountAt(target, account.username);
    await spendProbe(deps, context.tenantId, login);
    const startedAt = performance.now();
    const ctx = connectorContext(deps, target, TEST_TIMEOUT_MS, context.signal);
    const result = await connectorOf(deps, context.tenantId, target)
      .test(target.settings, credential, ctx)
      .catch(async (error: unknown) => {
        await returnProbe(deps, context.tenantId, login);
        throw error;
      });
    if (result.refused) await recordRefusal(deps, context.tenantId, login);
    else await returnProbe(deps, context.tenantId, login, result.ok ? storedSecret(account) : undefined);
    const problem = problemOf(result);
    if (problem)
      deps.logger.warn({ requestId: context.requestId, moduleId, problem }, 'the test of a module failed');
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await tx
        .updateTable('modules')
        .set({
          status: result.ok ? 'ok' : 'failing',
          status_problem: problem,
          tested_at: sql<Date>`now()`,
        })
        .where('id', '=', moduleId)
        .execute();
      await deps.emitter.audit(tx, context, {
        subject: { type: 'module', id: moduleId, resourceId: target.resourceId },
        details: { ok: result.ok, entryId: account.entryId, ...(problem ? { problem } : {}) },
      });
    });
    if (!result.ok && !result.refused && !maySeeReachability(context)) {
      await untilUniform(startedAt, TEST_TIMEOUT_MS, context.signal);
      return { ok: false, latencyMs: 0, serverVersion: '', problem: UNIFORM_PROBLEM, hint: UNIFORM_HINT };
    }
    return {
      ok: result.ok,
      latencyMs: result.latencyMs,
      serverVersion: result.serverVersion ?? '',
      problem,
      hint: result.hint ?? '',
    };
  };
}

function problemOf(result: TestResult): string {
  return result.ok ? '' : (result.problem ?? 'The test failed.');
}

async function testedResource(reader: VaultReader, moduleId: string, given: string): Promise<string> {
  let query = reader.selectFrom('assets').select('id').where('module_id', '=', moduleId);
  if (given) query = query.where('id', '=', given);
  const found = await query.orderBy('created_at').limit(1).executeTakeFirst();
  if (found) return found.id;
  if (given) throw ClavigerError.notFound();
  throw new ClavigerError('conflict', 'The module has no resource to test with.', {
    code: 'no_resource',
    hint: 'Create a resource with this module first.',
  });
}

async function firstAccount(reader: VaultReader, resourceId: string) {
  const entry = await reader
    .selectFrom('entries')
    .select('id')
    .where('asset_id', '=', resourceId)
    .where('status', '=', 'active')
    .where('type', 'in', ['password', 'ssh-key'])
    .where('username', '<>', '')
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst();
  return entry && encryptedAccount(reader, entry.id);
}
