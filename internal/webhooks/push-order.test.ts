import { expect, test } from '@jest/globals';
import { isOlder, type KnownPush, newerPush } from './push-order.ts';

const NONE = '0';

/** `A>B`: a push from A to B that was deployed as `to-B`; `A>B!`: one that was ignored; `A>B+X`: one that brought X too. */
function read(text: string): KnownPush {
  const [, before = '', after = '', more = '', ignored] = /^(\w)>(\w)((?:\+\w)*)(!?)$/.exec(text) ?? [];
  const commits = new Set([after, ...more.split('+').filter(Boolean)]);
  return { before, after, commits, deploymentId: ignored ? null : `to-${after}` };
}

test.each<[string, string, string, string | null]>([
  ['nothing is known', '', 'A>B', null],
  ['in order', 'A>B', 'B>C', null],
  ['after its successor', 'B>C', 'A>B', 'to-C'],
  ['after two successors, the newer one is named', 'B>C C>D', 'A>B', 'to-D'],
  ['after two successors that came in the wrong order, too', 'C>D B>C!', 'A>B', 'to-D'],
  ['a successor that was ignored does not count', 'B>C!', 'A>B', null],
  ['one on top of an ignored one does', 'B>C! C>D', 'A>B', 'to-D'],
  ['a link that never came breaks the chain', 'C>D', 'A>B', null],
  ['unless the later push brought its commit', 'A>D+B', 'A>B', 'to-D'],
  ['the same push again is no newer one', 'A>B', 'A>B', null],
  ['another branch of history is not on top', 'X>Y', 'A>B', null],
  ['forced back to the commit before', 'A>B', 'B>A', null],
  ['forced back over two commits', 'A>B B>C', 'C>A', null],
  ['forced back over one that was ignored', 'A>B B>C!', 'C>A', null],
  ['forced back and forth again', 'A>B B>A', 'A>B', null],
  ['forced back twice from different commits', 'A>B B>A A>D', 'D>A', null],
  ['a push back that comes after what was pushed then', 'A>B A>D', 'B>A', 'to-D'],
  ['one that comes after all that followed, with a push back among it', 'A>B B>A', 'X>A', 'to-A'],
  ['the branch was deleted and made anew', `A>${NONE}! ${NONE}>C`, 'X>A', 'to-C'],
  ['the branch is made anew where it was', `${NONE}>A A>${NONE}!`, `${NONE}>A`, null],
])('%s', (_what, known, push, expected) => {
  const pushes = known.split(' ').filter(Boolean).map(read);
  expect(newerPush(read(push), pushes)?.deploymentId ?? null).toBe(expected);
});

test.each<[string, string, string, boolean]>([
  ['by the push that links them', 'C>D A>B B>C', 'B', true],
  ['not without it', 'C>D A>B', 'B', false],
  ['not the other way round', 'C>D A>B B>C', 'E', false],
  ['not its own head', 'C>D A>B B>C', 'D', false],
  ['not after the branch was forced back to it', 'C>D A>B B>C D>B', 'B', false],
])('a commit is older than the first of these pushes: %s', (_what, pushes, commit, expected) => {
  const moves = pushes.split(' ').map(read);
  const [push] = moves;
  if (!push) throw new Error('there is no push');
  expect(isOlder(commit, push, moves)).toBe(expected);
});
