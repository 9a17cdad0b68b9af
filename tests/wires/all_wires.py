"""All wires: a new one is its line here, and is then played in every scene of the matrix."""

from typing import Final

from tests.wires.anthropic import AnthropicWire
from tests.wires.azure import AzureWire
from tests.wires.bedrock import BedrockWire
from tests.wires.cohere import CohereWire
from tests.wires.custom import CustomWire
from tests.wires.gemini import GeminiWire
from tests.wires.groq import GroqWire
from tests.wires.huggingface import HuggingFaceWire
from tests.wires.mistral import MistralWire
from tests.wires.ollama import OllamaWire
from tests.wires.openai import OpenAIWire
from tests.wires.openrouter import OpenRouterWire
from tests.wires.vertex import VertexWire
from tests.wires.vllm import VllmWire
from tests.wires.wire import Wire

WIRES: Final[tuple[Wire, ...]] = (
    OpenAIWire(),
    AzureWire(),
    AnthropicWire(),
    BedrockWire(),
    CohereWire(),
    GeminiWire(),
    VertexWire(),
    CustomWire(),
    GroqWire(),
    HuggingFaceWire(),
    MistralWire(),
    OllamaWire(),
    OpenRouterWire(),
    VllmWire(),
)
