import type { ServerResponse } from 'node:http';
import { answersHead, methods } from '@claviger/contracts';
import { fastify } from 'fastify';
import { type EdgeRequest, edgeCallOf } from '../edge/edge-request.ts';
import { answerNoRoute } from '../edge/edge-server.ts';
import { answerProblem, shownError } from '../edge/problem-answer.ts';
import { allowedMethods } from './allowed-methods.ts';
import { type NativeRouteDeps, nativeRoute, type ServeRoute } from './native-route.ts';

const NO_QUERY = {};

/** A route beside the native API: health, documents, pages. It discloses nothing. */
export interface OwnRoute {
  readonly path: string;
  readonly serve: ServeRoute;
}

export interface Router {
  readonly route: (request: EdgeRequest, response: ServerResponse) => void;
  readonly allowedMethods: (path: string) => readonly string[];
  close(): Promise<void>;
}

/**
 * Every operation of the contract that has a REST binding, and the gateway's own GET routes. Literal paths win. HEAD takes the
 * same way as GET, and Node.js leaves the body out.
 */
export async function createRouter(deps: NativeRouteDeps, own: readonly OwnRoute[]): Promise<Router> {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { caseSensitive: true, maxParamLength: 256, querystringParser: () => NO_QUERY },
  });
  // Bodies are read by the routes themselves, once they know who sends them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const all: { method: string; path: string }[] = [];
  const register = (method: string, path: string, serve: ServeRoute): void => {
    all.push({ method, path });
    app.route({
      method,
      url: path.replaceAll(/\{([a-z0-9_]+)\}/g, ':$1'),
      handler: async (request, reply) => {
        reply.hijack();
        await serve(request.raw, reply.raw, request.params as Record<string, string>);
      },
    });
  };
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
  const allowed = allowedMethods(all);
  app.setNotFoundHandler((request, reply) => {
    reply.hijack();
    answerNoRoute(request.raw, reply.raw, allowed);
  });
  app.setErrorHandler((error, request, reply) => {
    reply.hijack();
    if (reply.raw.headersSent) return void reply.raw.destroy();
    const shown = shownError(error, edgeCallOf(request.raw).requestId, deps.logger);
    answerProblem(request.raw, reply.raw, shown);
  });
  await app.ready();
  return {
    route: (request, response) => app.routing(request, response),
    allowedMethods: allowed,
    close: () => app.close(),
  };
}
