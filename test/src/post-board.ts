import type { StackAddresses } from './stack-addresses.ts';

export interface PostedBoard {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Posts a board to order-service; throws unless the answer is 201. */
export async function postBoard(
  { orderServiceUrl }: StackAddresses,
  body: { title: string; content: string; author?: string },
): Promise<PostedBoard> {
  const response = await fetch(`${orderServiceUrl}/boards`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST /boards answered ${response.status}: ${text}`);
  return JSON.parse(text) as PostedBoard;
}
