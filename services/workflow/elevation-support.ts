import { randomUUID } from 'node:crypto';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Evaluation, Facts, Verdict } from '@claviger/evaluator';
import { startCommandNotifier } from './src/elevation/command-notifier.ts';
import {
  agentElevationsService,
  deviceActuationService,
  elevationRequestsService,
  toolActionsService,
} from './src/registry.ts';
import type { Decider } from './src/rules/decider.ts';
import { bind, startWorkflow } from './test-support.ts';

export const TECHNICIAN = ['devices.read', 'devices.execute', 'elevations.request', 'tool-actions.request'];

/** Returns the verdict that a test sets. The tests of the rules use the real evaluator. */
export class FixedDecider implements Decider {
  verdict: Verdict = 'pending';
  minutes: number | null = null;
  stage: 'rules' | 'software_policy' = 'rules';
  /** Authors of the rule: it approves nothing from which one of them benefits. */
  readonly authors = new Set<string>();
  readonly asked: Facts[] = [];

  readonly snapshot: Decider['snapshot'];

  constructor(snapshot: Decider['snapshot']) {
    this.snapshot = snapshot;
  }

  async decide(_tenantId: string, facts: Facts) {
    this.asked.push(facts);
    const gaining = [
      facts.subjectUserId ?? '',
      ...(facts.otherUserIds ?? []),
      ...(facts.deviceUserIds ?? []),
    ];
    const own = this.verdict === 'auto_approved' && gaining.some((id) => this.authors.has(id));
    const verdict = own ? 'pending' : this.verdict;
    const rule =
      this.verdict === 'pending'
        ? null
        : { id: 'r1', name: 'a rule', priority: 1, verdict: 'auto_approve' as const };
    const evaluation: Evaluation = {
      verdict,
      because: own ? 'own_rule' : rule ? 'rule' : 'no_rule',
      decidingRule: rule,
      source: verdict === 'pending' ? null : this.stage === 'rules' ? 'pam_rule' : 'software_policy',
      ruleSetVersion: '7',
      approvalDurationMinutes: this.minutes,
      actionDigest:
        facts.kind === 'tool' && verdict === 'auto_approved' ? (facts.actionDigest ?? null) : null,
      access: null,
      trace: {
        steps: rule
          ? [
              {
                stage: this.stage,
                ruleId: rule.id,
                ruleName: rule.name,
                priority: 1,
                ruleVerdict: rule.verdict,
                outcome: 'matched',
              },
            ]
          : [],
        omitted: 0,
      },
    };
    return { facts, evaluation };
  }
}

/** The elevation handlers on a real PostgreSQL, with their own notifier. */
export async function startElevations(options: { fallbackMs?: number } = {}) {
  const service = await startWorkflow();
  const decider = new FixedDecider(service.deps.decider.snapshot);
  const notifier = startCommandNotifier({
    database: service.deps.database,
    connection: service.connection,
    logger: service.deps.logger,
    ...options,
  });
  const deps = { ...service.deps, decider, notifier };
  const handlers = {
    ...bind(elevation.ElevationRequestsService, elevationRequestsService(deps)),
    ...bind(elevation.ToolActionsService, toolActionsService(deps)),
    ...bind(elevation.DeviceActuationService, deviceActuationService(deps)),
    ...bind(elevation.AgentElevationsService, agentElevationsService(deps)),
  };
  const { schema, scratch } = service;
  return {
    ...service,
    elevations: handlers,
    decider,
    notifier,
    /** Reports a prompt of the device. Returns the id of the request. */
    prompt: async (agent: Parameters<typeof handlers.ingestElevationRequest>[0], fields: object = {}) => {
      const { id } = await handlers.ingestElevationRequest(agent, { ...promptOf(agent.userId), ...fields });
      return id!;
    },
    row: async (id: string) => {
      const [row] = await scratch.query<Record<string, unknown>>(
        `SELECT * FROM ${schema}.elevation_requests WHERE id = $1`,
        [id],
      );
      return row!;
    },
    commands: (requestId: string) =>
      scratch.query<{ id: string; type: string; outcome: string | null }>(
        `SELECT id, type, outcome FROM ${schema}.device_commands WHERE request_id = $1 ORDER BY queued_at`,
        [requestId],
      ),
    /** As superuser, with the triggers disabled: moves the end of a request into the past. */
    lapse: (id: string) =>
      scratch.query(
        `SET session_replication_role = replica;
         UPDATE ${schema}.elevation_requests SET expires_at = now() - interval '1 second' WHERE id = '${id}'`,
      ),
    [Symbol.asyncDispose]: async () => {
      await notifier[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

export type Elevations = Awaited<ReturnType<typeof startElevations>>;

export function promptOf(deviceId: string) {
  return {
    id: deviceId,
    subjectUsername: 'acme\\sarah',
    targetExecutablePath: 'C:\\Users\\sarah\\Downloads\\FirefoxSetup.exe',
    targetExecutableHash: 'a'.repeat(64),
    targetExecutableSigner: 'Mozilla Corporation',
    parentImage: 'C:\\Windows\\explorer.exe',
    commandLine: `setup.exe /password ${randomUUID()}`,
  };
}
