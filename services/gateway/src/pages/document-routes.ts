import type { OwnRoute } from '../routes/router.ts';

/** Serves the OpenAPI document, and its address at the root. */
export function documentRoutes(openApi: string): OwnRoute[] {
  return [
    json('/', JSON.stringify({ name: 'Claviger', api: '/api/v1', openapi: '/openapi.json' })),
    json('/openapi.json', openApi),
  ];
}

function json(path: string, text: string): OwnRoute {
  const length = Buffer.byteLength(text);
  return {
    path,
    serve: async (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': length });
      response.end(text);
    },
  };
}
