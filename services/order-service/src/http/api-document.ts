import { createDocument } from 'zod-openapi';
import { apiAnswers } from './api-answers.ts';
import {
  createBoardRequest,
  deleteBoardRequest,
  editBoardRequest,
  findBoardRequest,
  legacyRequest,
  listBoardsRequest,
} from './requests.ts';
import { addCommentRequest, findCommentRequest, removeCommentRequest } from './comments-router.ts';

export interface ApiOptions {
  /** Whether `GET /` creates a board. */
  readonly legacyCreate: boolean;
}

/**
 * The API as OpenAPI 3.1: requests from the same schemas that check them, and every answer that a
 * client may get.
 */
export function apiDocument({ legacyCreate }: ApiOptions): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'order-service',
      version: '1',
      description:
        'Boards and comments on them. A change is answered after it was committed together with its event. ' +
        'The event carries the W3C `traceparent` of the request.',
    },
    paths: {
      '/boards': {
        get: {
          tags: ['boards'],
          summary: 'List boards, newest first',
          requestParams: {
            query: listBoardsRequest.shape.query,
            header: listBoardsRequest.shape.header,
          },
          responses: apiAnswers.listBoards,
        },
        post: {
          tags: ['boards'],
          summary: 'Create a board',
          requestParams: { header: createBoardRequest.shape.header },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: createBoardRequest.shape.body } },
          },
          responses: apiAnswers.createBoard,
        },
      },
      '/boards/{id}': {
        get: {
          tags: ['boards'],
          summary: 'Read a board',
          requestParams: {
            path: findBoardRequest.shape.path,
            header: findBoardRequest.shape.header,
          },
          responses: apiAnswers.findBoard,
        },
        patch: {
          tags: ['boards'],
          summary: 'Change title, content or both',
          requestParams: {
            path: editBoardRequest.shape.path,
            header: editBoardRequest.shape.header,
          },
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: editBoardRequest.shape.body },
              'application/merge-patch+json': { schema: editBoardRequest.shape.body },
            },
          },
          responses: apiAnswers.editBoard,
        },
        delete: {
          tags: ['boards'],
          summary: 'Delete a board',
          requestParams: {
            path: deleteBoardRequest.shape.path,
            header: deleteBoardRequest.shape.header,
          },
          responses: apiAnswers.deleteBoard,
        },
      },
      '/boards/{id}/comments': {
        post: {
          tags: ['comments'],
          summary: 'Add a comment to a board',
          requestParams: {
            path: addCommentRequest.shape.path,
            header: addCommentRequest.shape.header,
          },
          requestBody: {
            required: true,
            content: { 'application/json': { schema: addCommentRequest.shape.body } },
          },
          responses: apiAnswers.addComment,
        },
      },
      '/comments/{id}': {
        get: {
          tags: ['comments'],
          summary: 'Read a comment',
          requestParams: {
            path: findCommentRequest.shape.path,
            header: findCommentRequest.shape.header,
          },
          responses: apiAnswers.findComment,
        },
        delete: {
          tags: ['comments'],
          summary: 'Remove a comment',
          requestParams: {
            path: removeCommentRequest.shape.path,
            header: removeCommentRequest.shape.header,
          },
          responses: apiAnswers.removeComment,
        },
      },
      ...(legacyCreate && {
        '/': {
          get: {
            tags: ['boards'],
            summary: 'Create a board, the older way',
            deprecated: true,
            requestParams: { query: legacyRequest.shape.query, header: legacyRequest.shape.header },
            responses: apiAnswers.createByQuery,
          },
        },
      }),
    },
  });
}
