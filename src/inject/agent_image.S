/* The agents' shared objects, byte for byte. */
	.section .rodata
	.globl agent_image, agent_image_size, memory_agent_image, memory_agent_image_size
	.hidden agent_image, agent_image_size, memory_agent_image, memory_agent_image_size
	.balign 16
agent_image:
	.incbin AGENT_FILE
0:
	.balign 8
agent_image_size:
	.quad 0b - agent_image
	.balign 16
memory_agent_image:
	.incbin MEMORY_AGENT_FILE
1:
	.balign 8
memory_agent_image_size:
	.quad 1b - memory_agent_image
	.section .note.GNU-stack, "", %progbits
