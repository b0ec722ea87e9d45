import type { ServerResponse } from 'node:http';
import { answersHead, methods } from '@claviger/contracts';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { MAX_TARGET_LENGTH } from '../edge/canonical-target.ts';
import { type EdgeRequest, edgeCallOf } from '../edge/edge-request.ts';
import { answerProblem, shownError } from '../edge/problem-answer.ts';
import { type NativeRouteDeps, nativeRoute, type ServeRoute } from './native-route.ts';
import { answerNoRoute } from './no-route.ts';

/** The methods of routes, in the order of the `Allow` header. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const NO_QUERY = {};

/** A route outside the native API: health, documents, pages. It discloses nothing. */
export interface OwnRoute {
  readonly path: string;
  readonly serve: ServeRoute;
}

export interface Router {
  /** Serves a request with a canonical target. */
  readonly route: (request: EdgeRequest, response: ServerResponse) => void;
}

/**
 * Registers every operation of the contract with a REST binding, and the gateway's own GET routes. A literal
 * segment takes precedence over a parameter. HEAD runs the handler of GET; Node.js omits the body.
 *
 * @throws when the contract declares a route twice, or a method that cannot be served.
 */
export function createRouter(deps: NativeRouteDeps, own: readonly OwnRoute[]): Router {
  const routes = findMyWay({
    caseSensitive: true,
    // The edge limits the target as a whole, and field rules limit each parameter.
    maxParamLength: MAX_TARGET_LENGTH,
    // The operations decode the query themselves.
    querystringParser: () => NO_QUERY,
    defaultRoute: (request, response) => {
      const allowed = METHODS.filter((method) => routes.find(method, request.url!) !== null);
      answerNoRoute(request, response, allowed);
    },
  });
  const register = (method: string, path: string, serve: ServeRoute): void =>
    routes.on(
      method as HTTPMethod,
      path.replaceAll(/\{([a-z0-9_]+)\}/g, ':$1'),
      (request, response, parameters) => {
        serve(request, response, parameters as Record<string, string>).catch((error: unknown) => {
          const shown = shownError(error, edgeCallOf(request).requestId, deps.logger);
          if (response.headersSent) response.destroy();
          else answerProblem(request, response, shown);
        });
      },
    );
  for (const route of own) {
    for (const method of ['GET', 'HEAD']) register(method, route.path, route.serve);
  }
  for (const method of methods.values()) {
    for (const binding of method.http) {
      const serve = nativeRoute(method, binding, deps);
      register(binding.method, binding.path, serve);
      if (answersHead(method, binding)) register('HEAD', binding.path, serve);
    }
  }
  return { route: (request, response) => routes.lookup(request, response) };
}
