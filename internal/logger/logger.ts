import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * The operator's voice: fixed phrases, facts as fields. Redaction here is the second net; the first is the Secret type.
 * Each process makes one and hands children to its parts.
 */
export function createLogger(options: { level: string; process: 'api' | 'worker' | 'up' }): Logger {
  return pino({
    level: options.level,
    base: { process: options.process },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers.cookie',
        'res.headers["set-cookie"]',
        '*.token',
        '*.password',
        '*.secret',
        '*.databaseUrl',
      ],
      censor: '[REDACTED]',
    },
  });
}
