import express, { type Request, type Response } from 'express';
import { AppError } from '../errors/app-error.ts';

const MAX_BYTES = 1024 * 1024;

// No inflation: a compressed body could be far larger than its limit says, and nobody compresses such small JSON.
const parseJson = express.json({ limit: MAX_BYTES, inflate: false, type: ['json', '+json'] });

/**
 * Reads a JSON body into `request.body`; no body leaves it undefined.
 * @throws AppError unsupported_media_type, body_too_large, malformed_json
 */
export async function readBody(request: Request, response: Response): Promise<void> {
  // `is` gives null where there is no body at all.
  if (request.is(['json', '+json']) === false && !isEmpty(request)) {
    throw new AppError('unsupported_media_type', 'Send the body as "Content-Type: application/json".');
  }
  refuseLonger(request, MAX_BYTES);
  await new Promise<void>((read, failed) => {
    parseJson(request, response, (error?: unknown) => (error ? failed(bodyError(error, MAX_BYTES)) : read()));
  });
}

/**
 * The body as it came, whatever its type; no body is no bytes.
 * @throws AppError unsupported_media_type when it is compressed, body_too_large
 */
export async function readRawBody(request: Request, response: Response, maxBytes: number): Promise<Buffer> {
  refuseLonger(request, maxBytes);
  const readBytes = express.raw({ limit: maxBytes, inflate: false, type: () => true });
  await new Promise<void>((read, failed) => {
    readBytes(request, response, (error?: unknown) => (error ? failed(bodyError(error, maxBytes)) : read()));
  });
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

function isEmpty(request: Request): boolean {
  return request.get('content-length') === '0';
}

/** Answered at once where the length is told; body-parser answers only when all of it has come. */
function refuseLonger(request: Request, maxBytes: number): void {
  if (Number(request.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('body_too_large', `The body may have at most ${maxBytes} bytes.`);
}

/** body-parser marks its errors by `type`; its texts may repeat parts of the body, so ours replace them. */
function bodyError(error: unknown, maxBytes: number): AppError {
  const { type } = error as { type?: string };
  if (type === 'entity.too.large') return tooLarge(maxBytes);
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError('unsupported_media_type', 'Send the body as plain UTF-8, not compressed.');
  }
  return new AppError('malformed_json', 'The body must be one JSON object; check commas and quotes.', {
    cause: error,
  });
}
