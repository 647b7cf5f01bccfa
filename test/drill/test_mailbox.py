# Copyright 2026 The posenet_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""What is heard in one thread and handled in another."""

from __future__ import annotations

import time

from posenet_ros.drill.mailbox import Mailbox
import pytest


def test_letters_are_opened_in_order_and_only_when_asked():
    mailbox, heard = Mailbox(), []
    receive = mailbox.into(heard.append)
    receive('one')
    receive('two')
    assert heard == []
    mailbox.open_until(time.monotonic())
    assert heard == ['one', 'two']


def test_an_event_ends_the_waiting_and_leaves_the_rest():
    mailbox, heard = Mailbox(), []
    receive = mailbox.into(heard.append)
    for number in range(3):
        receive(number)
    mailbox.open_until(time.monotonic() + 3600, lambda: len(heard) == 2)
    assert heard == [0, 1]


def test_what_goes_wrong_while_hearing_is_raised_where_letters_are_opened():
    mailbox = Mailbox()
    mailbox.fail(ZeroDivisionError('ears'))
    with pytest.raises(ZeroDivisionError, match='ears'):
        mailbox.open_until(time.monotonic())
