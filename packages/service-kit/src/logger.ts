import { trace } from '@opentelemetry/api';
import { destination, type Logger, pino } from 'pino';

export type { Logger };

/**
 * Writes one JSON line per event to standard output. Errors are logged by name, message, code and stack only:
 * other properties (queries, parameters, requests) can contain secrets.
 */
export function createLogger(options: { service: string; node: string; level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, node: options.node },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: plainError, error: plainError },
      hooks: {
        logMethod(args, method) {
          const [first, message] = args as unknown as [unknown, string | undefined];
          const error = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err;
          // Without an own message, pino would log the error's message and bypass the serializer.
          if (message !== undefined || !(error instanceof Error)) return method.apply(this, args);
          method.call(
            this,
            first instanceof Error ? { err: first } : (first as object),
            plainError(error).message,
          );
        },
      },
      mixin: () => {
        const span = trace.getActiveSpan()?.spanContext();
        return span ? { traceId: span.traceId, spanId: span.spanId } : {};
      },
    },
    destination({ dest: 1, sync: true }),
  );
}

interface PlainError {
  name: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: PlainError;
}

function plainError(error: unknown, depth = 0): PlainError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'not an Error' };
  const code = (error as { code?: unknown }).code;
  // The message of a database error can quote values of the statement; the code is enough.
  const fromDatabase = 'severity' in error && typeof code === 'string';
  return {
    name: error.name,
    message: fromDatabase ? `database error ${code}` : error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(error.stack && !fromDatabase ? { stack: error.stack } : {}),
    ...(error.cause instanceof Error && depth < 4 ? { cause: plainError(error.cause, depth + 1) } : {}),
  };
}
