import { describe, expect, test } from '@jest/globals';
import { AppError } from '../errors/app-error.ts';
import { readClientMessage } from './client-message.ts';

const ID = 'q6wlnf4j3e';

test.each([
  [
    { type: 'subscribe', deployment_id: ID },
    { type: 'subscribe', topic: { deployment_id: ID }, after: 0n },
  ],
  [
    { type: 'subscribe', app_id: ID, after: 7 },
    { type: 'subscribe', topic: { app_id: ID }, after: 7n },
  ],
  [
    { type: 'unsubscribe', app_id: ID },
    { type: 'unsubscribe', topic: { app_id: ID } },
  ],
  [{ type: 'ping' }, { type: 'ping' }],
])('%j is understood', (sent, understood) => {
  expect(readClientMessage(JSON.stringify(sent))).toEqual(understood);
});

describe('T58: what is not a message says so, and tells what is', () => {
  const codeOf = (text: string) => {
    try {
      return readClientMessage(text);
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  };

  test.each(['', '{', 'subscribe', '{"type":'])('%j is no JSON', (text) => {
    expect(codeOf(text)).toBe('malformed_json');
  });

  test.each([
    null,
    7,
    'text',
    [],
    {},
    { type: 'shout' },
    { type: ['subscribe'] },
    { type: 'subscribe' },
    { type: 'subscribe', deployment_id: ID, app_id: ID },
    { type: 'subscribe', deployment_id: 'no id' },
    { type: 'subscribe', deployment_id: [ID] },
    { type: 'subscribe', deployment_id: `${ID}\0` },
    { type: 'subscribe', deployment_id: ID, after: -1 },
    { type: 'subscribe', deployment_id: ID, after: 1.5 },
    { type: 'subscribe', deployment_id: ID, after: '7' },
    { type: 'subscribe', deployment_id: ID, user_id: ID },
    { type: 'unsubscribe', deployment_id: ID, after: 1 },
    { type: 'ping', deployment_id: ID },
  ])('%j is none of ours', (sent) => {
    expect(codeOf(JSON.stringify(sent))).toBe('invalid_input');
  });

  test('nothing of it gets into a prototype', () => {
    expect(codeOf(`{"type":"ping","__proto__":{"polluted":true}}`)).toBe('invalid_input');
    expect({}).not.toHaveProperty('polluted');
  });
});
