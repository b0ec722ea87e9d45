import type { ServerResponse } from 'node:http';
import { ClavigerError } from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import { authRequirements } from '../authentication/authenticator.ts';
import { bearerOf } from '../authentication/bearer.ts';
import { type EdgeRequest, edgeCallOf } from '../edge/edge-request.ts';
import { answerProblem, shownError } from '../edge/problem-answer.ts';
import type { Gate } from '../limits/gate.ts';
import { type AdmitDeps, admitBearer } from '../routes/admit.ts';
import type { OwnRoute } from '../routes/router.ts';
import type { AskEmergencyNotice } from './emergency-notice.ts';
import { healthDetail } from './health-detail.ts';
import { isUsable, type PeersHealth } from './peer-health.ts';

export interface HealthRoutesDeps extends AdmitDeps {
  readonly node: string;
  readonly version: string;
  readonly peersHealth: PeersHealth;
  readonly emergencyNotice: AskEmergencyNotice;
  /** False as soon as the gateway stops. */
  readonly accepting: () => boolean;
  readonly logger: Logger;
}

/** Public probes, and the health detail for signed-in actors. */
export function healthRoutes(deps: HealthRoutesDeps): OwnRoute[] {
  const admit = admitBearer(authRequirements(['auth'], false, deps.tiers.standard), deps);
  const ready = async (): Promise<{ code: number; status: string }> => {
    if (!deps.accepting()) return { code: 503, status: 'stopping' };
    const peers = await deps.peersHealth();
    const bad = peers.find((peer) => !isUsable(peer));
    return bad ? { code: 503, status: bad.status } : { code: 200, status: 'ready' };
  };
  return [
    {
      path: '/system/health/ping',
      serve: async (_request, response) => answer(response, 200, { status: 'ok', version: deps.version }),
    },
    {
      path: '/system/health/live',
      serve: async (_request, response) => answer(response, 200, { status: 'live' }),
    },
    {
      path: '/system/health/ready',
      serve: async (_request, response) => {
        const { code, status } = await ready();
        if (code !== 200) response.setHeader('Retry-After', 1);
        answer(response, code, { status });
      },
    },
    {
      path: '/system/health/detail',
      serve: (request, response) =>
        guarded(request, response, deps.logger, async () => {
          const actor = await admit(request, response, edgeCallOf(request));
          const bearer = bearerOf(request.headers.authorization);
          if (typeof bearer === 'object' && bearer.kind === 'agent-token')
            throw new ClavigerError('denied', 'The agent of a device cannot call this operation.', {
              code: 'not_for_agents',
            });
          if (actor?.mfaPending) {
            throw new ClavigerError('unauthenticated', 'This session still requires its second factor.', {
              code: 'mfa_required',
            });
          }
          const redis = await redisCheck(deps.gate);
          const { node, version } = deps;
          const breakglass = actor
            ? await deps.emergencyNotice(actor.tenantId, edgeCallOf(request).requestId)
            : { status: 'unknown', openSessions: 0 };
          const peers = await deps.peersHealth();
          answer(response, 200, healthDetail({ node, version, redis }, peers, breakglass));
        }),
    },
  ];
}

async function redisCheck(gate: Gate) {
  const start = performance.now();
  let problem = '';
  await gate.ping().catch((error: Error) => {
    problem = error.message;
  });
  const latencyMs = Math.round(performance.now() - start);
  return { name: 'redis', ok: problem === '', required: false, problem, latencyMs };
}

async function guarded(
  request: EdgeRequest,
  response: ServerResponse,
  logger: Logger,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    answerProblem(request, response, shownError(error, edgeCallOf(request).requestId, logger));
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
