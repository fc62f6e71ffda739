// SPDX-License-Identifier: Apache-2.0

/** A chat call of ordinary size (about 900 bytes of JSON) as a client would report it. @param id its key: another id, another record */
export const benchEvent = (id: string): string =>
  JSON.stringify({
    id,
    provider: 'openai',
    request_model: 'gpt-4',
    response_model: 'gpt-4-0613',
    source: 'web-app',
    operation: 'chat',
    start_time: '2026-01-01T12:00:00.000Z',
    latency_ms: 812.4,
    ttft_ms: 143.9,
    status: 'success',
    http_status: 200,
    input_tokens: 141,
    output_tokens: 96,
    finish_reasons: ['stop'],
    conversation_id: 'conversation-17',
    temperature: 0.2,
    input_messages: [
      { role: 'system', parts: [{ type: 'text', content: 'Answer questions about accounts briefly and name the rule that applies.' }] },
      {
        role: 'user',
        parts: [{ type: 'text', content: 'How long must the firm keep a copy of the letters it sent me about my account, and where?' }]
      }
    ],
    output_messages: [
      {
        role: 'assistant',
        parts: [
          {
            type: 'text',
            content:
              'Letters to a customer are business communications and are kept for three years, the first two of them in an easily accessible place; account records are kept for six years after the account is closed.'
          }
        ]
      }
    ]
  })
