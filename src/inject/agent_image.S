/* The agent's shared object, byte for byte. */
	.section .rodata
	.globl agent_image, agent_image_size
	.hidden agent_image, agent_image_size
	.balign 16
agent_image:
	.incbin AGENT_FILE
0:
	.balign 8
agent_image_size:
	.quad 0b - agent_image
	.section .note.GNU-stack, "", %progbits
